// A thread of the SQLite ledger: the writer or the reader behind a message port, so that neither fsync nor a
// long read ever stops the event loop. How batches travel is in wire.ts.
import { parentPort, workerData } from 'node:worker_threads';
import type { ReadName } from '../reads.ts';
import { SqliteReader } from './reader.ts';
import { decodeEntries, encodeVerdicts } from './wire.ts';
import { SqliteWriter } from './writer.ts';

/** What a thread is started with. */
export interface ThreadStart {
  readonly role: 'writer' | 'reader';
  readonly file: string;
}

/** A request to a thread. The writer knows `commit`, the reader every read by its name; both know `close`. */
export interface ThreadCall {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Its answer: a value, or a fault by name, so that it can be thrown again on the other side. */
export type ThreadAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: { readonly name: string; readonly message: string } };

const { role, file } = workerData as ThreadStart;
const port = parentPort!;

function answer(id: number, act: () => unknown): void {
  try {
    port.postMessage({ id, value: act() } satisfies ThreadAnswer);
  } catch (error) {
    const { name, message } = error as Error;
    port.postMessage({ id, fault: { name, message } } satisfies ThreadAnswer);
  }
}

function serveWriter(writer: SqliteWriter): (call: ThreadCall) => unknown {
  return ({ method, args }) => {
    switch (method) {
      case 'commit': {
        const entries = decodeEntries(args[0] as string);
        return encodeVerdicts(entries, writer.commit(entries));
      }
      case 'clock':
        return writer.nowMs();
      case 'close':
        return writer.close();
      default:
        throw new Error(`the writer thread does not know ${method}`);
    }
  };
}

function serveReader(reader: SqliteReader): (call: ThreadCall) => unknown {
  return ({ method, args }) =>
    method === 'close' ? reader.close() : reader.answer(method as ReadName, args);
}

// Call 0 is the opening itself: its answer says whether the ledger could be opened.
answer(0, () => {
  const serve = role === 'writer' ? serveWriter(new SqliteWriter(file)) : serveReader(new SqliteReader(file));
  port.on('message', (call: ThreadCall) => {
    answer(call.id, () => serve(call));
    if (call.method === 'close') port.close();
  });
});
