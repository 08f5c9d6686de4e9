// One run, and pairs of runs. Compared programs take turns (A B A B …) and are never under load at the same time;
// a ratio is taken inside each pair. CPU per request stands beside every rate, because it hardly moves when
// something else on the machine does.
//
// Nothing is pinned to a core: the server is a main thread and a ledger thread, and to pin it would either halve
// it or leave the load without a core. Both sides of a pair have the same freedom.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import type { Load, LoadResult } from './load-tool.ts';
import type { Program, StoresCpu } from './program.ts';
import { median } from './stats.ts';

export interface Run extends LoadResult {
  /** User and system time of all threads of the server process, in microseconds. */
  readonly cpuUsPerRequest: number;
  /** The same of the stores' processes, where the program has stores. */
  readonly storesCpuUsPerRequest?: StoresCpu;
  readonly rssMiB: number;
}

type Measured = Pick<Run, 'cpuUsPerRequest' | 'storesCpuUsPerRequest' | 'rssMiB'>;

export interface Pair<A, B = A> {
  readonly a: A;
  readonly b: B;
}

/** Runs a load against a program and takes the program's CPU time. Works with every kind of load. */
export async function measure<Result extends { readonly requests: number }>(
  program: Program,
  load: () => Promise<Result>,
): Promise<Result & Measured> {
  const before = program.usage();
  const storesBefore = program.storesCpuMs?.();
  const result = await load();
  const after = program.usage();
  const storesAfter = program.storesCpuMs?.();
  const perRequest = (ms: number) => (ms * 1_000) / Math.max(result.requests, 1);
  return {
    ...result,
    cpuUsPerRequest: perRequest(after.cpuMs - before.cpuMs),
    ...(storesBefore &&
      storesAfter && {
        storesCpuUsPerRequest: {
          redis: perRequest(storesAfter.redis - storesBefore.redis),
          database: perRequest(storesAfter.database - storesBefore.database),
        },
      }),
    rssMiB: after.rssMiB,
  };
}

/** Runs the load tool against a program for the given time. */
export function measureLoad(bench: Bench, program: Program, load: Omit<Load, 'port'>): Promise<Run> {
  return measure(program, () => bench.tool.run({ ...load, port: program.port }));
}

/** A B A B …, as many pairs as the bench is set to. */
export async function alternate<A, B>(
  bench: Bench,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<Pair<A, B>[]> {
  const pairs: Pair<A, B>[] = [];
  for (let n = 0; n < bench.pairs; n++) pairs.push({ a: await a(), b: await b() });
  return pairs;
}

/** The median over runs of one number of each. */
export function medianOf<Of>(runs: readonly Of[], number: (run: Of) => number): number {
  return median(runs.map(number));
}

const IDLE_POLL_MS = 100;
const IDLE_CPU_MS = 20;
const IDLE_TIMEOUT_MS = 3_000;

/**
 * Waits, three seconds at most, until the program and its stores have done what they still had to do when the load
 * was cut off: hundreds of requests may wait for a database, and the other's turn must not pay for them.
 */
export async function untilIdle(program: Program): Promise<void> {
  const usedMs = () => {
    const { redis, database } = program.storesCpuMs?.() ?? { redis: 0, database: 0 };
    return program.usage().cpuMs + redis + database;
  };
  const deadlineMs = performance.now() + IDLE_TIMEOUT_MS;
  let beforeMs: number;
  let nowMs = usedMs();
  do {
    beforeMs = nowMs;
    await sleep(IDLE_POLL_MS);
    nowMs = usedMs();
  } while (nowMs - beforeMs > IDLE_CPU_MS && performance.now() < deadlineMs);
}
