// The main thread's side of a ledger thread: calls by number, answers as promises.
import { Worker } from 'node:worker_threads';
import { LedgerOutcomeUnknown, LedgerUnavailable } from '../ledger.ts';
import type { ThreadAnswer, ThreadCall, ThreadStart } from './worker.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: Error) => void;
}

const FAULTS = { LedgerUnavailable, LedgerOutcomeUnknown } as const;

export class LedgerThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: Error | undefined;

  private constructor(start: ThreadStart) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: start,
      name: `ledger ${start.role}`,
    });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error as Error));
    this.#worker.on('exit', () => this.#end(new Error('the ledger thread has ended')));
  }

  /** Starts the thread and opens the ledger there. Rejects with what the opening threw. */
  static async open(start: ThreadStart): Promise<LedgerThread> {
    const thread = new LedgerThread(start);
    await new Promise((resolve, reject) => thread.#waiting.set(0, { resolve, reject }));
    return thread;
  }

  call<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    if (this.#ended) return Promise.reject(new LedgerUnavailable(this.#ended.message));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, method, args } satisfies ThreadCall);
    });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.call('close');
    await exited;
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id)!;
    this.#waiting.delete(answer.id);
    if ('value' in answer) waiting.resolve(answer.value);
    else waiting.reject(faultOf(answer.fault));
  }

  /** A thread that died in the middle of a commit leaves its outcome unknown. */
  #end(cause: Error): void {
    this.#ended ??= cause;
    for (const { reject } of this.#waiting.values()) reject(new LedgerOutcomeUnknown(cause.message));
    this.#waiting.clear();
  }
}

function faultOf({ name, message }: { name: string; message: string }): Error {
  const Fault = FAULTS[name as keyof typeof FAULTS];
  if (Fault) return new Fault(message);
  const error = new Error(message);
  error.name = name;
  return error;
}
