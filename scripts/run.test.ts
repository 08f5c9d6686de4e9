// Drives run.mjs as a newcomer does, in small projects of its own whose only dependency lies beside them, so
// that npm needs no network.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

const RUN_MJS = path.join(import.meta.dirname, 'run.mjs');
const NPM_START: string = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8'),
).scripts.start;
const PRINT_ARGUMENTS = 'console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

test('[A11] the first start installs what is missing, the second installs nothing', async (t) => {
  const project = makeProject(t);
  const first = await start(project, ['program.ts', 'a', '--b']);
  assert.match(first.stderr, /^Installing .*\nInstalled in \d+\.\d s\.\n$/);
  assert.deepEqual(JSON.parse(first.stdout), { args: ['a', '--b'], cwd: project });
  const second = await start(project, ['program.ts']);
  assert.deepEqual({ code: second.code, stderr: second.stderr }, { code: 0, stderr: '' });
});

test('[A11] a lock file that asks for more is installed at the next start', async (t) => {
  const project = makeProject(t);
  await start(project, ['program.ts']);
  writePackages(project, ['part', 'other']);
  assert.match((await start(project, ['program.ts'])).stderr, /Installed in/);
  assert.ok(readdirSync(path.join(project, 'node_modules')).includes('other'));
});

test('[A11] what was installed by hand is not installed again', async (t) => {
  const project = makeProject(t);
  assert.equal(spawnSync('npm', ['ci'], { cwd: project, shell: process.platform === 'win32' }).status, 0);
  assert.equal((await start(project, ['program.ts'])).stderr, '');
});

test('[A11] a failed installation shows what npm said, starts nothing, and is tried again', async (t) => {
  const project = makeProject(t);
  const lockFile = path.join(project, 'package-lock.json');
  writeFileSync(lockFile, '{ "lockfileVersion": 3, "packages": {} }');
  const failed = await start(project, ['program.ts']);
  assert.deepEqual({ code: failed.code, stdout: failed.stdout }, { code: 1, stdout: '' });
  assert.match(failed.stderr, /npm (?:error|ERR!) [\s\S]*npm ci failed/);
  writePackages(project, ['part']);
  assert.equal((await start(project, ['program.ts'])).code, 0);
});

test('[A11] a machine without npm gets one line that says what to do', async (t) => {
  const project = makeProject(t);
  const { code, stderr } = await start(project, ['program.ts'], { PATH: project });
  assert.equal(code, 1);
  assert.match(stderr, /npm, and there is none: install Node 24 or newer with npm from https:\S+\n$/);
});

test('[A11] of several first starts at once one installs, and all of them run', async (t) => {
  const project = makeProject(t);
  const all = await Promise.all([1, 2, 3, 4].map((n) => start(project, ['program.ts', String(n)])));
  assert.deepEqual(
    all.map((each) => [each.code, JSON.parse(each.stdout).args]),
    [1, 2, 3, 4].map((n) => [0, [String(n)]]),
  );
  assert.equal(all.filter((each) => each.stderr.includes('Installed in')).length, 1);
  assert.deepEqual(lockNames(project), []);
});

test('[A11] the lock of a start that was killed is taken over by one of those that wait', async (t) => {
  const project = makeProject(t);
  const dead = spawnSync(process.execPath, ['--version']).pid;
  mkdirSync(path.join(project, 'node_modules.lock'));
  writeFileSync(path.join(project, 'node_modules.lock', 'pid'), String(dead));
  const all = await Promise.all([1, 2, 3].map(() => start(project, ['program.ts'])));
  assert.deepEqual(
    all.map((each) => each.code),
    [0, 0, 0],
  );
  assert.equal(all.filter((each) => each.stderr.includes('Installed in')).length, 1);
  assert.deepEqual(lockNames(project), []);
});

test('[A11] settings are read from .env where there is one, and its absence is not worth a word', async (t) => {
  const project = makeProject(t);
  writeFileSync(path.join(project, 'program.ts'), 'console.log(process.env.PORT ?? 3000);');
  await start(project, ['program.ts']);
  const args = ['--dotenv', 'program.ts'];
  const { stdout, stderr } = await start(project, args);
  assert.deepEqual({ stdout, stderr }, { stdout: '3000\n', stderr: '' });
  writeFileSync(path.join(project, '.env'), 'PORT=4000\n');
  assert.equal((await start(project, args)).stdout, '4000\n');
});

test('[B8] a signal that arrives twice reaches the program once, and its exit code is the start’s', async (t) => {
  const project = makeProject(t);
  writeFileSync(
    path.join(project, 'program.ts'),
    `let signals: number = 0;
     for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => { signals++; });
     setInterval(() => { if (signals > 0) setTimeout(() => process.exit(10 + signals), 200); }, 10);
     console.log('ready');`,
  );
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const child = spawnStart(project, ['program.ts']);
    const ended = collect(child);
    await untilItWrites(child, ended);
    child.kill(signal);
    await setTimeout(50);
    child.kill(signal);
    assert.equal((await ended).code, 11, signal);
  }
});

test('[B8] a signal sent to npm reaches the program, and npm waits for its end', async (t) => {
  const project = makeProject(t);
  writeFileSync(
    path.join(project, 'program.ts'),
    `process.on('SIGTERM', () => setTimeout(() => { console.log('done'); process.exit(0); }, 200));
     setInterval(() => {}, 1000);
     console.log('ready');`,
  );
  const npm = spawn('npm', ['start', '--silent'], {
    cwd: project,
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = collect(npm);
  await untilItWrites(npm, ended);
  npm.kill('SIGTERM');
  const { code, stdout } = await ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'ready\ndone\n' });
});

test('[B8] a program that dies of a signal or fails makes the start end in the same way', async (t) => {
  const project = makeProject(t);
  writeFileSync(path.join(project, 'program.ts'), "process.kill(process.pid, 'SIGKILL');");
  assert.equal((await start(project, ['program.ts'])).signal, 'SIGKILL');
  writeFileSync(path.join(project, 'program.ts'), 'process.exit(7);');
  assert.equal((await start(project, ['program.ts'])).code, 7);
});

function makeProject(t: TestContext): string {
  const project = mkdtempSync(path.join(tmpdir(), 'floodgate-run-'));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  mkdirSync(path.join(project, 'scripts'));
  cpSync(RUN_MJS, path.join(project, 'scripts', 'run.mjs'));
  writeFileSync(path.join(project, 'program.ts'), PRINT_ARGUMENTS);
  writePackages(project, ['part']);
  return project;
}

/** A package.json and its lock file, with some workspaces as the only dependencies. */
function writePackages(project: string, workspaces: readonly string[]): void {
  const scripts = { start: NPM_START.replace(/\S+$/, 'program.ts') };
  const root = { name: 'toy', version: '1.0.0', workspaces };
  const packages: Record<string, unknown> = { '': root };
  for (const name of workspaces) {
    mkdirSync(path.join(project, name), { recursive: true });
    writeFileSync(path.join(project, name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
    packages[name] = { version: '1.0.0' };
    packages[`node_modules/${name}`] = { resolved: name, link: true };
  }
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ ...root, scripts }));
  const lockFile = { name: 'toy', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  writeFileSync(path.join(project, 'package-lock.json'), JSON.stringify(lockFile));
}

function spawnStart(project: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { npm_execpath: _npm, NODE_COMPILE_CACHE: _cache, ...inherited } = process.env;
  return spawn(process.execPath, ['scripts/run.mjs', ...args], {
    cwd: project,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function collect(child: ChildProcess): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, ...written };
}

async function untilItWrites(child: ChildProcess, ended: Promise<Ended>): Promise<void> {
  const early = ended.then(({ stderr }) => assert.fail(`ended before it wrote anything: ${stderr}`));
  await Promise.race([once(child.stdout!, 'data'), early]);
}

function start(project: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return collect(spawnStart(project, args, env));
}

function lockNames(project: string): string[] {
  return readdirSync(project).filter((name) => name.startsWith('node_modules.lock'));
}
