// The real program as a child process on a data folder of its own: started, stopped, killed and started again.
// Every wait is bounded, and a wait in vain shows the child's last words.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { patienceMs } from '@floodgate/core/testing/patience.ts';

export interface ServerOptions {
  readonly events: number;
  /** Of each event. */
  readonly tickets: number;
  readonly holdTtlSeconds?: number | undefined;
  /** The program to start. Default: the shop. */
  readonly program?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export const API_KEY = 'test-key-0123456789abcdef';
export const JWT_SECRET = 'test-secret-0123456789abcdefghijklmnop';
const SHOP = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_TIMEOUT_MS = patienceMs(2_000);
/** Clients that dawdle are waited for up to eight seconds. */
const EXIT_TIMEOUT_MS = patienceMs(8_000);
const LINES_KEPT = 40;

/** One life of the program. */
interface Life {
  readonly child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export class ServerProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'floodgate-test-'));
  /** Changes with every start. */
  port = 0;
  isPaused = false;
  readonly #options: ServerOptions;
  #life: Life | undefined;
  readonly #lastLines: string[] = [];
  readonly #warnings: string[] = [];
  #isEnding = false;
  #death: string | undefined;

  private constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Starts the program on a new folder. Resolves when it listens. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Starts the program again, on the same folder. */
  async start(): Promise<void> {
    const { events, tickets, holdTtlSeconds = 300, program = SHOP, env = {} } = this.#options;
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env.PATH, NODE_ENV: 'test', LOG_LEVEL: 'info', HOST: '127.0.0.1', PORT: '0' },
        ...{ API_KEY, JWT_SECRET, DATABASE_URL: `sqlite:${join(this.folder, 'floodgate.db')}` },
        ...{ SEED_EVENTS: `${events}`, SEED_TICKETS: `${tickets}`, HOLD_TTL_SECONDS: `${holdTtlSeconds}` },
        ...env,
      },
    });
    const dieWithUs = () => child.kill('SIGKILL');
    process.once('exit', dieWithUs);
    const exited: Life['exited'] = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        process.off('exit', dieWithUs);
        if (!this.#isEnding)
          this.#death = this.#error(`it ended by itself (code ${code}, signal ${signal})`).message;
        resolve({ code, signal });
      });
    });
    this.#isEnding = false;
    this.#life = { child, exited };
    const listening = this.#listeningPort(child);
    const ended = exited.then(({ code, signal }) => {
      throw this.#error(`the server ended while it started (code ${code}, signal ${signal})`);
    });
    this.port = await this.#within(
      START_TIMEOUT_MS,
      'the server to listen',
      Promise.race([listening, ended]),
    );
  }

  /** Asks the program to end. Rejects unless it does so in time and with exit code 0. */
  async stop(): Promise<void> {
    const { code, signal } = await this.#end('SIGTERM');
    if (code !== 0) throw this.#error(`the server ended with code ${code}, signal ${signal}`);
  }

  /** Ends the program without a warning, at this very instant. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops the program where it is: its connections stay open and nobody answers, until `resume`. */
  pause(): void {
    this.isPaused = true;
    this.#life?.child.kill('SIGSTOP');
  }

  resume(): void {
    this.isPaused = false;
    this.#life?.child.kill('SIGCONT');
  }

  /** All that it warned of, or worse, in all of its lives. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** How it ended without being told to, with its last output. */
  get death(): string | undefined {
    return this.#death;
  }

  /** Kills what runs and removes the folder. */
  async remove(): Promise<void> {
    if (this.#life !== undefined) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL') {
    if (this.#life === undefined) throw new Error('the server does not run');
    const { child, exited } = this.#life;
    this.#isEnding = true;
    child.kill(signal);
    const end = await this.#within(EXIT_TIMEOUT_MS, `the server to end after ${signal}`, exited);
    this.#life = undefined;
    return end;
  }

  #listeningPort(child: ChildProcess): Promise<number> {
    return new Promise((resolve) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface({ input: stream }).on('line', (line) => {
          this.#lastLines.push(line);
          if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
          if (/"level":"(warn|error|fatal)"/.test(line)) this.#warnings.push(line);
          const port = /"port":(\d+).*"msg":"listening"/.exec(line)?.[1];
          if (port !== undefined) resolve(Number(port));
        });
      }
    });
  }

  async #within<T>(timeoutMs: number, what: string, wanted: Promise<T>): Promise<T> {
    const stopWaiting = new AbortController();
    const tooLate = sleep(timeoutMs, undefined, { signal: stopWaiting.signal }).then(() => {
      throw this.#error(`waited ${timeoutMs} ms in vain for ${what}`);
    });
    try {
      return await Promise.race([wanted, tooLate]);
    } finally {
      tooLate.catch(() => {}); // The wait that was broken off says so.
      stopWaiting.abort();
    }
  }

  #error(what: string): Error {
    return new Error(`${what}; its last output:\n${this.#lastLines.join('\n')}`);
  }
}
