// Our own generators run in processes of their own: their work must not be in the way of the program that reads
// the clock of the others, nor theirs in the way of the server's.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClosedLoopOptions, ClosedLoopResult } from './closed-loop.ts';
import type { OpenLoopOptions, OpenLoopResult } from './open-loop.ts';

const execute = promisify(execFile);
const GRACE_MS = 15_000;

/** `open-loop.ts` in its own process. */
export async function openLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const timeoutMs = options.seconds * 1_000 + options.drainMs;
  return (await generate('open-loop.ts', options, timeoutMs)) as OpenLoopResult;
}

/** `closed-loop.ts` in its own process. */
export async function closedLoop(options: ClosedLoopOptions): Promise<ClosedLoopResult> {
  return (await generate('closed-loop.ts', options, options.timeoutMs)) as ClosedLoopResult;
}

async function generate(script: string, options: unknown, timeoutMs: number): Promise<unknown> {
  const file = join(import.meta.dirname, script);
  const { stdout } = await execute(process.execPath, [file, JSON.stringify(options)], {
    timeout: timeoutMs + GRACE_MS,
  });
  return JSON.parse(stdout);
}
