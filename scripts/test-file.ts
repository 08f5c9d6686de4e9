// Runs one test file in a process group of its own and with a mark of its own, so that whatever the file starts ends
// with it: at the file's end, at its timeout, and when the whole run is stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { ProcessFamily, RUN_VARIABLE } from './process-family.ts';
import type { TestMessage, TestResult } from './test-message.ts';

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  /** What tests reported with `t.diagnostic`: figures, seeds. */
  readonly notes: readonly string[];
  /** What the file wrote; of interest only when it failed. */
  readonly output: string;
  readonly durationMs: number;
}

export interface RunOptions {
  readonly root: string;
  readonly timeoutMs: number;
  /** Run only tests whose title holds this text. */
  readonly titlePart: string | undefined;
  readonly signal: AbortSignal;
}

/** After a request to end; and after the end, until its pipes are let go of. */
const KILL_AFTER_MS = 3_000;
/** What was sent SIGKILL is gone at once, unless the system itself hangs. */
const GONE_WITHIN_MS = 30_000;
const MAX_OUTPUT_CHARS = 200_000;

/** Runs a file (path from the root). A file that crashes, hangs or has no tests is a failed test itself. */
export async function runTestFile(file: string, options: RunOptions): Promise<FileResult> {
  const startedAtMs = performance.now();
  const mark = randomUUID();
  const child = spawnTestFile(file, mark, options);
  const tests: TestResult[] = [];
  const notes: string[] = [];
  let running = 'no test yet';
  let finished = false;
  let output = '';
  child.on('message', (message: TestMessage) => {
    if (message.kind === 'started') running = message.title;
    else if (message.kind === 'note') notes.push(message.text);
    else if (message.kind === 'finished') finished = true;
    else tests.push(message);
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARS);
    });
  }
  const ending = await untilEnd(child, mark, options);
  const durationMs = performance.now() - startedAtMs;
  const fault = whatIsWrong(ending, { tests, finished, running, notes, options });
  if (fault !== undefined) tests.push({ kind: 'failed', title: file, durationMs, why: fault });
  return { file, tests, notes, output, durationMs };
}

function spawnTestFile(file: string, mark: string, { root, titlePart }: RunOptions): ChildProcess {
  // NODE_TEST_CONTEXT would make the tests report to a node:test that runs this runner.
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  // A runner that is itself under test hands on what it was marked with.
  const env = { ...inherited, [RUN_VARIABLE]: [inherited[RUN_VARIABLE], mark].filter(Boolean).join(' ') };
  const reporter = new URL('./test-reporter.ts', import.meta.url).href;
  const args = ['--test-reporter', reporter, '--test-reporter-destination', 'stdout'];
  if (titlePart !== undefined)
    args.push('--test-name-pattern', titlePart.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return spawn(process.execPath, [...args, path.join(root, file)], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: process.platform !== 'win32',
  });
}

interface Ending {
  readonly by: 'itself' | 'timeout' | 'stop';
  readonly how: string;
  readonly ok: boolean;
  /** Whether all that it started has ended with it. */
  readonly alone: boolean;
}

function untilEnd(child: ChildProcess, mark: string, { timeoutMs, signal }: RunOptions): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let by: Ending['by'] = 'itself';
    let killer: NodeJS.Timeout | undefined;
    let closer: NodeJS.Timeout | undefined;
    let gone = Promise.resolve(true);
    const family = child.pid === undefined ? undefined : new ProcessFamily(child.pid, mark);
    const end = (reason: Ending['by']) => {
      if (by !== 'itself') return;
      by = reason;
      // Whose somebody is can be seen while his parents live, so everybody is looked for before anybody is ended.
      family?.look();
      signalGroup(child, 'SIGTERM');
      killer = setTimeout(() => family?.kill(), KILL_AFTER_MS);
    };
    const stop = () => end('stop');
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    child.on('error', reject);
    // What the file started and left behind would keep its pipes open: its family ends with it.
    child.on('exit', () => {
      if (family !== undefined) gone = family.end(GONE_WITHIN_MS);
      closer = setTimeout(() => [child.stdout, child.stderr].map((pipe) => pipe?.destroy()), KILL_AFTER_MS);
    });
    child.on('close', async (code, endSignal) => {
      clearTimeout(timer);
      clearTimeout(killer);
      clearTimeout(closer);
      signal.removeEventListener('abort', stop);
      const how = endSignal === null ? `exit code ${code}` : endSignal;
      resolve({ by, how, ok: code === 0, alone: await gone });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Nobody is left in the group.
  }
}

interface Heard {
  readonly tests: readonly TestResult[];
  readonly notes: readonly string[];
  readonly finished: boolean;
  readonly running: string;
  readonly options: RunOptions;
}

function whatIsWrong(ending: Ending, heard: Heard): string | undefined {
  if (!ending.alone) return `what it started does not end, in: ${heard.running}`;
  if (ending.by === 'stop') return `stopped during: ${heard.running}`;
  if (ending.by === 'timeout') {
    const after = `did not end within ${heard.options.timeoutMs / 1000} s`;
    return heard.finished
      ? `${after}: its tests did, but something is still open`
      : `${after}, in: ${heard.running}`;
  }
  if (!ending.ok && !heard.tests.some(({ kind }) => kind === 'failed')) {
    return [`ended with ${ending.how} though no test of it failed`, ...heard.notes].join('\n');
  }
  if (heard.tests.length === 0 && heard.options.titlePart === undefined) return 'has no tests';
  if (heard.tests.length > 0 && !heard.finished) return `ended in: ${heard.running}`;
  return undefined;
}
