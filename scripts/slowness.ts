// How slow this machine is now, neighbours included. Limits that only end what hangs grow by it, so that a suite
// which is merely slow is not taken for one that hangs.
import { availableParallelism, loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Hands the factor to the test processes; a value set before the run overrides the measured one. */
export const SLOWNESS_VARIABLE = 'FLOODGATE_TEST_SLOWNESS';

const ROUNDS = 3;
/** One round on the machine of the README's figures with nothing else on it: two cores, a thread on each. */
const REFERENCE_MS = 110;
/** Runs in a worker that is already there, so the clock sees the loop and who else wants the core, and no start. */
const LOOP = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', () => {
    const startMs = performance.now();
    let hash = 1;
    for (let i = 0; i < 25_000_000; i++) hash = Math.imul(hash ^ i, 16_777_619);
    parentPort.postMessage({ tookMs: performance.now() - startMs, hash });
  });`;

export interface Slowness {
  /** At least 1: how many times as long as on the reference machine a loop on every core takes, at the worst of three. */
  readonly atStart: number;
  /** Neighbours may come later: more, when more programs than that have wanted each core in the last minute. */
  readonly now: () => number;
}

export async function measureSlowness(): Promise<Slowness> {
  const given = Number(process.env[SLOWNESS_VARIABLE]);
  if (given >= 1) return { atStart: given, now: () => given };
  const atStart = await measureLoop();
  const load = () => Math.ceil((10 * loadavg()[0]!) / availableParallelism()) / 10;
  return { atStart, now: () => Math.max(atStart, load()) };
}

async function measureLoop(): Promise<number> {
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(LOOP, { eval: true }));
  let worstMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    worstMs = Math.max(worstMs, ...(await Promise.all(workers.map(runLoop))));
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return Math.max(1, Math.ceil((10 * worstMs) / REFERENCE_MS) / 10);
}

function runLoop(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', ({ tookMs }: { readonly tookMs: number }) => resolve(tookMs));
    worker.postMessage('run');
  });
}
