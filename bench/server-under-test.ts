// The two programs that are compared: the real server with a fresh ledger on a real disk, and the echo that gives
// the same answer. The echo's answer is learned from the server itself, so "the same answer" cannot drift.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import type { EchoAnswer } from './echo-server.ts';
import type { LoadRequest } from './load-tool.ts';
import { ask, type Program, startProgram } from './program.ts';

export const API_KEY = 'bench-admin-key-that-guards-nothing';
const ROOT = join(import.meta.dirname, '..');
const START_TIMEOUT_MS = 60_000;
const DEGRADED_TIMEOUT_MS = 15_000;
const DEGRADED_POLL_MS = 5;

export interface ServerOptions {
  /** Of the checkout whose program it is; this one when not given. */
  readonly root?: string | undefined;
  /** Of the ledger's folder. A name used before starts the server on the ledger of that run. */
  readonly name: string;
  readonly events: number;
  readonly ticketsPerEvent: number;
  /** Beside the usual settings, or in their place: the stores, when they are not a file in the folder. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerUnderTest extends Program {
  /** From spawn to the first 200 of GET /health/ready. */
  readonly readyMs: number;
}

/** Starts the real program as in production, with its log in a file and its ledger in a folder of the bench. */
export async function startServer(bench: Bench, options: ServerOptions): Promise<ServerUnderTest> {
  const folder = join(bench.folder, options.name);
  mkdirSync(folder, { recursive: true });
  const startedMs = performance.now();
  const program = await startProgram({
    script: join(options.root ?? ROOT, 'server', 'src', 'main.ts'),
    args: [],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    timeoutMs: START_TIMEOUT_MS,
    env: {
      NODE_ENV: 'production',
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: `sqlite:${join(folder, 'floodgate.db')}`,
      API_KEY,
      JWT_SECRET: 'bench-secret-of-32-characters-or-more',
      SEED_EVENTS: String(options.events),
      SEED_TICKETS: String(options.ticketsPerEvent),
      ...options.env,
    },
  });
  while ((await ask(program.port, 'GET', '/health/ready')).status !== 200) {
    if (performance.now() - startedMs > START_TIMEOUT_MS)
      throw new Error('the server listens but is never ready');
  }
  return { ...program, readyMs: performance.now() - startedMs };
}

/** Starts the echo with the answer that the server gives to the request now. Throws when it is not the expected one. */
export async function startEcho(
  bench: Bench,
  server: Program,
  request: LoadRequest,
  expectedStatuses: readonly number[],
): Promise<Program> {
  const reply = await askFor(server, request);
  if (!expectedStatuses.includes(reply.status)) {
    throw new Error(`${request.method} ${request.path} was answered ${reply.status}: ${reply.body}`);
  }
  const answer: EchoAnswer = reply;
  return startProgram({
    script: join(import.meta.dirname, 'echo-server.ts'),
    args: [JSON.stringify(answer)],
    cwd: bench.folder,
    logFile: join(bench.folder, 'echo.log'),
    timeoutMs: START_TIMEOUT_MS,
    env: { NODE_ENV: 'production' },
  });
}

/** One request of a load, asked once. */
export function askFor(program: Program, { method, path, body }: LoadRequest): ReturnType<typeof ask> {
  return ask(program.port, method, path, body === '' ? {} : { body });
}

/** How many tickets of the default event the server says are sold. */
export async function seatsSold(server: Program): Promise<number> {
  const reply = await ask(server.port, 'GET', '/api/v1/event');
  const { seatsSold: sold } = JSON.parse(reply.body) as { seatsSold?: unknown };
  if (typeof sold !== 'number')
    throw new Error(`GET /api/v1/event was answered ${reply.status}: ${reply.body}`);
  return sold;
}

/** Asks /health until the shop says that it is degraded, or no longer. Throws when it does not within 15 seconds. */
export async function untilDegraded(server: Program, expected: boolean): Promise<void> {
  const deadlineMs = performance.now() + DEGRADED_TIMEOUT_MS;
  for (;;) {
    const { degraded } = JSON.parse((await ask(server.port, 'GET', '/health')).body) as {
      degraded?: unknown;
    };
    if (degraded === expected) return;
    if (performance.now() > deadlineMs)
      throw new Error(`the shop is ${expected ? 'never' : 'always'} degraded`);
    await sleep(DEGRADED_POLL_MS);
  }
}

/** Runs `use` with the program and stops the program afterwards, whatever happened. */
export async function using<P extends Program, Result>(
  starting: Promise<P>,
  use: (program: P) => Promise<Result>,
): Promise<Result> {
  const program = await starting;
  let result: Result;
  try {
    result = await use(program);
  } catch (error) {
    // The first fault is the one to be told.
    await program.stop().catch(() => {});
    throw error;
  }
  await program.stop();
  return result;
}
