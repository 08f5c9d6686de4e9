// A server of a test as a child process: started, paused, killed with all processes of its own, and gone when the
// test is. Every wait is bounded and shows the child's last lines when it was in vain.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { findBinary } from './binaries.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The user to run the process as. Default: the one that runs the test. */
  readonly owner?: Owner | undefined;
}

const START_TIMEOUT_MS = patienceMs(5_000);
const EXIT_TIMEOUT_MS = patienceMs(3_000);
const PROBE_EVERY_MS = 20;
const LINES_KEPT = 40;

const running = new Set<number>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const pid of running) signalTree(pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Where the system can, it ends the server also when the test is killed and has no time to do so itself. */
function withUs(): string[] {
  const setpriv = findBinary('setpriv');
  return process.platform === 'linux' && setpriv !== undefined ? [setpriv, '--pdeathsig', 'KILL'] : [];
}

export class Child {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lastLines: string[] = [];
  #end: string | undefined;

  constructor({ file, args, cwd, owner }: Command) {
    const [first, ...others] = [...withUs(), file, ...args];
    this.#process = spawn(first!, others, { cwd, stdio: ['ignore', 'pipe', 'pipe'], ...owner });
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lastLines.push(line);
        if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
      });
    }
    this.pid = this.#process.pid ?? 0;
    running.add(this.pid);
    this.#exited = new Promise((resolve) => {
      const ended = (end: string) => {
        this.#end ??= end;
        running.delete(this.pid);
        resolve();
      };
      this.#process.once('error', (error) => ended(`could not run: ${error.message}`));
      this.#process.once('exit', (code, signal) => ended(`ended with code ${code}, signal ${signal}`));
    });
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  /** Asks until the probe no longer throws. */
  async ready(probe: () => Promise<unknown>): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      if (this.#end !== undefined) throw this.#error(`the server ${this.#end} while it started`);
      try {
        await probe();
        return;
      } catch (error) {
        if (Date.now() > deadline) {
          throw this.#error(`waited ${START_TIMEOUT_MS} ms in vain for the server to answer (${error})`);
        }
        await sleep(PROBE_EVERY_MS);
      }
    }
  }

  /** Sends a signal that shall end it, waits until it and all its children are gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const family = descendants(this.pid);
    if (signal === 'SIGKILL') signalTree(this.pid, signal);
    else signalOne(this.pid, signal);
    await this.#until(this.#exited, `the server to end after ${signal}`);
    const deadline = Date.now() + EXIT_TIMEOUT_MS;
    while (family.some(isAlive)) {
      if (Date.now() > deadline) throw this.#error('its children did not end');
      await sleep(PROBE_EVERY_MS);
    }
  }

  /** Stops it and all its children where they are, or lets them go on. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.running) throw this.#error('the server does not run');
    signalTree(this.pid, signal);
  }

  async #until(wanted: Promise<void>, what: string): Promise<void> {
    const stopWaiting = new AbortController();
    const tooLate = sleep(EXIT_TIMEOUT_MS, 'late', { signal: stopWaiting.signal }).catch(() => 'done');
    const first = await Promise.race([wanted, tooLate]);
    stopWaiting.abort();
    if (first === 'late') throw this.#error(`waited ${EXIT_TIMEOUT_MS} ms in vain for ${what}`);
  }

  #error(what: string): Error {
    return new Error(`${what}; its last output:\n${this.#lastLines.join('\n')}`);
  }
}

/** Runs a command to its end, or throws with what it wrote. */
export function runOnce({ file, args, cwd, owner }: Command): void {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    ...{ cwd, encoding: 'utf8', timeout: START_TIMEOUT_MS, ...owner },
  });
  if (status !== 0) throw new Error(`${file} failed (code ${status}, ${error ?? ''}):\n${stdout}${stderr}`);
}

/** A temporary folder that the owner can enter and write to. It goes with the test at the latest. */
export function ownedFolder(prefix: string, owner: Owner | undefined, parent: string = tmpdir()): string {
  const folder = mkdtempSync(join(parent, `floodgate-${prefix}-`));
  folders.add(folder);
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** The user a server insists on when the test runs as root; undefined when it does not. */
export function ownerNamed(user: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ask = (flag: string) =>
    Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout || Number.NaN);
  const owner = { uid: ask('-u'), gid: ask('-g') };
  if (Number.isNaN(owner.uid)) throw new Error(`tests that run as root need the user ${user}: add it`);
  return owner;
}

const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 21_999;
/** Redis Cluster speaks with its other nodes on a second port, this much higher. */
export const CLUSTER_BUS = 10_000;

/**
 * A port that is free now, and whose cluster bus port is too. Both are below 32768, where the system takes the
 * ports of clients: a client that tries again and again while the server is down would else take its port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT + 1));
    if ((await isFree(port)) && (await isFree(port + CLUSTER_BUS))) return port;
  }
  throw new Error(`no free port between ${LOWEST_PORT} and ${HIGHEST_PORT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

// Processes and their children --------------------------------------------------------------------------
// A PostgreSQL server gives each of its processes a group of its own, so a signal to the group reaches only one.

/** Stops the parent first, so that it starts no child while they are looked for and knows of no dead one. */
function signalTree(pid: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  if (pid === 0) return;
  if (signal !== 'SIGCONT') signalOne(pid, 'SIGSTOP');
  for (const child of descendants(pid)) signalOne(child, signal);
  signalOne(pid, signal);
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processes(): ProcessRow[] {
  return existsSync('/proc/self/stat') ? processesOfLinux() : processesOfOthers();
}

/** Without `ps`, which small images lack. */
function processesOfLinux(): ProcessRow[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name of the program stands in brackets and may itself hold spaces and brackets.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(pid), parent: Number(parent), state: state! }];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}

function processesOfOthers(): ProcessRow[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], {
    encoding: 'utf8',
    timeout: patienceMs(1_000),
  });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/);
    return state === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), state }];
  });
}

function descendants(root: number): number[] {
  const rows = processes();
  const below = (pid: number): number[] =>
    rows.filter(({ parent }) => parent === pid).flatMap((row) => [row.pid, ...below(row.pid)]);
  return below(root);
}

/** A dead process that nobody has asked for yet is no longer alive. */
function isAlive(pid: number): boolean {
  return processes().some((row) => row.pid === pid && !row.state.startsWith('Z'));
}
