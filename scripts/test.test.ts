// Drives the test runner on small projects: what it must not overlook, and that nothing of it stays behind.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { patienceMs, SLOWNESS } from '../core/src/testing/patience.ts';
import { type FileResult, runTestFile } from './test-file.ts';

const HEAD = "import { test } from 'node:test'; import assert from 'node:assert/strict';\n";
const PASSING = `${HEAD}test('[S1] good', () => {}); test('[S2] fine', () => {});`;
/** Starts a process that would live on, writes its id to `left-behind`, and never ends. */
const HANGING = `${HEAD}
  import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
  test('begins', () => {});
  test('hangs', async () => {
    const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    writeFileSync('left-behind', String(pid));
    await new Promise(() => setInterval(() => {}, 1000));
  });`;
/** Where a process can hide from a signal to the group: each leaves one that is stopped, in a session of its own. */
const HIDDEN: Readonly<Record<string, string>> = {
  'of a parent that lives, with an environment of its own': `
    const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore', env: {} });
    process.kill(pid, 'SIGSTOP');
    writeFileSync('left-behind', String(pid));`,
  'of a parent that has ended': `
    spawn(process.execPath, ['-e', \`
      const { pid } = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      process.kill(pid, 'SIGSTOP');
      process.on('exit', () => require('node:fs').writeFileSync('left-behind', String(pid)));
      process.exit();\`]);`,
};
const hiding = (how: string) => `${HEAD}
  import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
  test('hides', async () => {
    ${HIDDEN[how]}
    await new Promise(() => setInterval(() => {}, 1000));
  });`;
const NO_SERVER = `export const REAL_SERVERS = [{ name: 'Oracle', find: () => undefined, howToGet: 'buy it' }];`;

test('a run ends with the servers and one plain line', async (t) => {
  const { code, stdout } = await runAll(makeProject(t, { a: PASSING }));
  assert.match(stdout, /^Slowness [\d.]+: /);
  assert.match(stdout, /✔ \[S1\] good\n/);
  assert.match(
    stdout,
    /\nReal servers: SQLite [\d.]+ \(node:sqlite\).*\n(Missing: .+\n)+2 passed, 0 failed\n$/,
  );
  assert.equal(code, 0);
});

test('a failure is told in full, again at the end, with what its file wrote', async (t) => {
  const failing = `${HEAD}test('bad', () => { console.log('seed 42'); assert.equal(1 + 1, 3); });`;
  const { code, stdout } = await runAll(makeProject(t, { a: failing, b: PASSING }));
  assert.equal(stdout.match(/✖ bad\n\s+line 2: AssertionError[\s\S]*?2 !== 3/g)?.length, 2);
  assert.match(stdout, /Failed: core\/src\/a\.test\.ts[\s\S]*It wrote:\n\s+seed 42\n/);
  assert.match(stdout, /\n2 passed, 1 failed\n$/);
  assert.equal(code, 1);
});

test('a skipped test is counted, and is a failure with CI=true', async (t) => {
  const project = makeProject(t, { a: PASSING, b: `${HEAD}test('off', { skip: 'needs root' }, () => {});` });
  const here = await runAll(project);
  assert.match(here.stdout, /– off \(skipped: needs root\)[\s\S]*\n2 passed, 0 failed, 1 skipped\n$/);
  assert.equal(here.code, 0);
  const ci = await runAll(project, { CI: 'true' });
  assert.match(ci.stdout, /1 skipped; with CI=true every test must run[\s\S]*\n2 passed, [1-9] failed\n$/);
  assert.equal(ci.code, 1);
});

test('a missing server is named with how to get it, and is a failure with CI=true', async (t) => {
  const project = makeProject(t, { a: PASSING });
  writeFileSync(path.join(project, 'scripts/real-servers.ts'), NO_SERVER);
  const here = await runAll(project);
  assert.match(here.stdout, /\nReal servers: none\nMissing: Oracle \(buy it\)\n2 passed, 0 failed\n$/);
  assert.equal(here.code, 0);
  const ci = await runAll(project, { CI: 'true' });
  assert.match(ci.stdout, /1 missing; with CI=true every server must be there\n2 passed, 1 failed\n$/);
  assert.equal(ci.code, 1);
});

test('a file that breaks outside its tests is a failure', async (t) => {
  const broken = {
    'throws at load': `${PASSING} throw new Error('at load');`,
    'throws later': `${PASSING} setTimeout(() => { throw new Error('late'); }, 20); test('slow', (_, done) => setTimeout(done, 60));`,
    'leaves early': `${PASSING} test('leaves', () => process.exit(0));`,
    'has no tests': 'export {};',
    'fails in a hook': `${HEAD} import { describe, before } from 'node:test';
      describe('suite', () => { before(() => { throw new Error('in hook'); }); test('child', () => {}); });`,
  };
  for (const [how, text] of Object.entries(broken)) {
    const { code, stdout } = await runAll(makeProject(t, { a: text }));
    assert.match(stdout, /\n\d passed, [1-9] failed\n$/, how);
    assert.equal(code, 1, how);
  }
});

test('a text selects files by path, else tests by title, and nothing selected is a failure', async (t) => {
  const project = makeProject(t, { a: PASSING, b: PASSING });
  assert.match((await run(project, ['a.test'])).stdout, /\n2 passed, 0 failed\n$/);
  assert.match((await run(project, ['[S1]'])).stdout, /\n2 passed, 0 failed\n$/);
  const none = await run(project, ['nowhere']);
  assert.match(none.stdout, /no test matches nowhere\n0 passed, 1 failed\n$/);
  assert.equal(none.code, 1);
});

test('a failing check is a failure of the run', async (t) => {
  const project = makeProject(t, { a: PASSING });
  writeFileSync(path.join(project, 'core/src/b.ts'), "import 'node:fs';\n");
  const { code, stdout } = await run(project, []);
  assert.match(stdout, /✖ structure\n\s+error floors: core\/src\/b\.ts:1 imports node:fs/);
  assert.equal(code, 1);
});

test('a run of everything that finds no test is a failure', async (t) => {
  const { code, stdout } = await run(makeProject(t, {}), []);
  assert.match(stdout, /✔ structure\n[\s\S]*no test matches core\/src/);
  assert.equal(code, 1);
});

test('a file that hangs is ended with all that it started', async (t) => {
  const project = makeProject(t, { a: HANGING });
  const { tests } = await runToLimit(project);
  assert.deepEqual(
    tests.map(({ kind, title }) => `${kind} ${title}`),
    ['passed begins', 'failed core/src/a.test.ts'],
  );
  assert.match(tests[1]!.why, /did not end within [\d.]+ s, in: hangs/);
  assert.ok(!isRunning(await leftBehind(project)));
});

for (const how of Object.keys(HIDDEN)) {
  const options = { skip: process.platform !== 'linux' && 'only Linux tells whose a process is' };
  test(`a file that hangs is ended with a stopped process ${how}`, options, async (t) => {
    const project = makeProject(t, { a: hiding(how) });
    await runToLimit(project);
    assert.ok(!isRunning(await leftBehind(project)), 'it outlived the file');
  });

  test(`SIGKILL to the runner ends a stopped process ${how}`, options, async (t) => {
    const project = makeProject(t, { a: hiding(how) });
    const runner = spawnRunner(project, ['core']);
    const pid = await leftBehind(project);
    assert.ok(isRunning(pid));
    runner.kill('SIGKILL');
    await assertEnded(pid);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} to the runner ends what the tests started`, async (t) => {
    const project = makeProject(t, { a: HANGING });
    const runner = spawnRunner(project, ['core']);
    const pid = await leftBehind(project);
    runner.kill(signal);
    await once(runner, 'close');
    assert.equal(runner.signalCode, signal);
    await assertEnded(pid);
  });
}

/** Long enough for the file to come to where it hangs; what is shown here is its end. */
const LIMIT_MS = 1_500 * SLOWNESS;

function runToLimit(project: string): Promise<FileResult> {
  const signal = new AbortController().signal;
  const options = { root: project, timeoutMs: LIMIT_MS, titlePart: undefined, signal };
  return runTestFile('core/src/a.test.ts', options);
}

/** A project with this runner and some test files in `core/src`. */
function makeProject(t: TestContext, tests: Readonly<Record<string, string>>): string {
  const project = mkdtempSync(path.join(tmpdir(), 'floodgate-test-'));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  mkdirSync(path.join(project, 'core/src'), { recursive: true });
  writeFileSync(path.join(project, 'package.json'), '{ "type": "module" }');
  for (const name of globSync('*.ts', { cwd: import.meta.dirname })) {
    if (!name.endsWith('.test.ts'))
      cpSync(path.join(import.meta.dirname, name), path.join(project, 'scripts', name));
  }
  const binaries = 'server/test/kit/servers/binaries.ts';
  cpSync(path.join(import.meta.dirname, '..', binaries), path.join(project, binaries));
  for (const [name, text] of Object.entries(tests)) {
    writeFileSync(path.join(project, 'core/src', `${name}.test.ts`), text);
  }
  return project;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

/** Runs all tests but no checks. */
function runAll(project: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run(project, ['core/src'], env);
}

async function run(project: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const runner = spawnRunner(project, args, env);
  let stdout = '';
  runner.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await once(runner, 'close');
  return { code: runner.exitCode, stdout };
}

function spawnRunner(project: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { CI: _ci, FORCE_COLOR: _color, ...inherited } = process.env;
  return spawn(process.execPath, ['scripts/test.ts', ...args], {
    cwd: project,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** The id of the process that HANGING has started. */
async function leftBehind(project: string): Promise<number> {
  const file = path.join(project, 'left-behind');
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await setTimeout(20);
  return Number(readFileSync(file, 'utf8'));
}

async function assertEnded(pid: number): Promise<void> {
  for (const giveUpMs = performance.now() + patienceMs(500); isRunning(pid); await setTimeout(20)) {
    assert.ok(performance.now() < giveUpMs, `process ${pid} is still there`);
  }
}

/** A killed orphan may stay a zombie where no init process reaps it: it has ended all the same. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (fault) {
    return process.platform !== 'linux' && (fault as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
