// `npm test`: the checks, then every test, each file in its own process. It ends with the real servers that
// took part and one plain line, `123 passed, 0 failed`, which agrees with the exit code.
//   npm test -- server/src/ledger    the test files whose path holds this text
//   npm test -- 'S6'                 else: the tests whose title does
// With CI=true a skipped test and a missing server are failures.
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { styleText } from 'node:util';
import { type CheckResult, ROOT, runChecks } from './checks.ts';
import { REAL_SERVERS } from './real-servers.ts';
import { measureSlowness, SLOWNESS_VARIABLE } from './slowness.ts';
import { type FileResult, runTestFile } from './test-file.ts';
import type { TestResult } from './test-message.ts';

const TEST_FILES = [
  'core/src/**/*.test.ts',
  'manifest/src/**/*.test.ts',
  'server/src/**/*.test.ts',
  'server/test/**/*.test.ts',
  'scripts/**/*.test.ts',
  'bench/**/*.test.ts',
];
/** These drive whole servers with all the load the machine can make: one at a time, and last. */
const ALONE = /^(server\/test|bench)\//;
/** These only end what hangs: an order above what the slowest file needs, times the machine's slowness. */
const TIMEOUT_MS = 600_000;
const TIMEOUT_ALONE_MS = 1_200_000;
const SLOW_TEST_MS = 1_000;
const CHECKS = 'checks';

const isCi = process.env.CI === 'true' || process.env.CI === '1';
const stopping = new AbortController();
let stoppedBy: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stoppedBy ??= signal;
    stopping.abort();
  });
}

const wanted = process.argv.slice(2);
const { files, titlePart } = select(wanted);
const results: FileResult[] = [];
const slowness = await measureSlowness();
if (titlePart !== undefined) write(`No test file is named like "${titlePart}": looking for tests that are`);
write(`Slowness ${slowness.atStart}: by this factor the limits grow that end what hangs`);
showProgress('checks …');
if (wanted.length === 0) results.push(asFileResult(await runChecks(false, stopping.signal, slowness.now())));
results.forEach(print);
await runFiles(
  files.filter((file) => !ALONE.test(file)),
  Math.min(availableParallelism(), 4),
  TIMEOUT_MS,
);
await runFiles(
  files.filter((file) => ALONE.test(file)),
  1,
  TIMEOUT_ALONE_MS,
);
process.exitCode = conclude();
if (stoppedBy !== undefined) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  process.kill(process.pid, stoppedBy);
}

/** All files; or those whose path holds one of the given texts; or, when none does, a text to find in titles. */
function select(texts: readonly string[]): { files: string[]; titlePart: string | undefined } {
  const all = globSync(TEST_FILES, { cwd: ROOT })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  if (texts.length === 0) return { files: all, titlePart: undefined };
  const named = all.filter((file) => texts.some((text) => file.includes(text)));
  return named.length > 0
    ? { files: named, titlePart: undefined }
    : { files: all, titlePart: texts.join(' ') };
}

async function runFiles(queue: string[], atOnce: number, limitMs: number): Promise<void> {
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (stopping.signal.aborted) return;
      showProgress(`${file} …`);
      const factor = slowness.now();
      process.env[SLOWNESS_VARIABLE] = `${factor}`;
      const options = { root: ROOT, timeoutMs: limitMs * factor, titlePart, signal: stopping.signal };
      const result = await runTestFile(file, options);
      results.push(result);
      print(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function asFileResult(checks: readonly CheckResult[]): FileResult {
  return {
    file: CHECKS,
    tests: checks.map(({ name, ok, output, durationMs }) => {
      return { kind: ok ? 'passed' : 'failed', title: name, durationMs, why: ok ? '' : output };
    }),
    notes: checks.filter(({ ok, output }) => ok && output !== '').map(({ output }) => output.trimEnd()),
    output: '',
    durationMs: Math.max(...checks.map(({ durationMs }) => durationMs)),
  };
}

/** On a terminal, what is running now; the next line takes its place. */
function showProgress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
}

function print({ file, tests, notes, durationMs }: FileResult): void {
  showProgress('');
  if (tests.length === 0) return;
  write(`${styleText('bold', file)} ${styleText('dim', seconds(durationMs))}`);
  for (const test of tests) write(`  ${describeTest(test)}`);
  for (const note of notes) write(indent(styleText('dim', note), '    '));
}

function describeTest({ kind, title, durationMs, why }: TestResult): string {
  const time = durationMs < SLOW_TEST_MS ? '' : ` ${styleText('dim', seconds(durationMs))}`;
  if (kind === 'passed') return `${styleText('green', '✔')} ${title}${time}`;
  if (kind === 'skipped') return `${styleText('yellow', '–')} ${title} (skipped: ${why})`;
  return `${styleText('red', '✖')} ${title}${time}\n${indent(why, '    ')}`;
}

/** Prints the end of the report; returns the exit code. */
function conclude(): number {
  const tests = results.flatMap((result) => result.tests);
  const count = (kind: TestResult['kind']) => tests.filter((test) => test.kind === kind).length;
  for (const result of results) printFailures(result);
  const skipped = count('skipped');
  const missing = printServers();
  const nothingRan = results.every(({ file, tests }) => file === CHECKS || tests.length === 0);
  const warn = (text: string) => write(styleText('red', `✖ ${text}`));
  if (isCi && skipped > 0) warn(`${skipped} skipped; with CI=true every test must run`);
  if (isCi && missing > 0) warn(`${missing} missing; with CI=true every server must be there`);
  if (stoppedBy !== undefined) warn(`stopped by ${stoppedBy}`);
  else if (nothingRan) warn(`no test matches ${wanted.join(' ') || TEST_FILES.join(', ')}`);
  const failed = count('failed') + (isCi ? skipped + missing : 0) + (nothingRan ? 1 : 0);
  const alsoSkipped = skipped > 0 && !isCi ? `, ${skipped} skipped` : '';
  write(`${count('passed')} passed, ${failed} failed${alsoSkipped}`);
  return failed > 0 ? 1 : 0;
}

function printFailures({ file, tests, output }: FileResult): void {
  const failures = tests.filter(({ kind }) => kind === 'failed');
  if (failures.length === 0) return;
  write(`\n${styleText(['bold', 'red'], `Failed: ${file}`)}`);
  for (const failure of failures) write(`  ${describeTest(failure)}`);
  if (output !== '') write(`  ${styleText('dim', 'It wrote:')}\n${indent(output.trimEnd(), '    ')}`);
}

/** Says which real servers took part; returns how many are missing. */
function printServers(): number {
  const found = REAL_SERVERS.map((server) => ({ ...server, version: server.find() }));
  const present = found.filter(({ version }) => version !== undefined);
  const missing = found.filter(({ version }) => version === undefined);
  write(`\nReal servers: ${present.map(({ name, version }) => `${name} ${version}`).join(', ') || 'none'}`);
  for (const { name, howToGet } of missing) write(`Missing: ${name} (${howToGet})`);
  if (missing.length === 0) write('Missing: none');
  return missing.length;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
