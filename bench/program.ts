// A Node program under measurement: started as a child with its output in a file (so that logging costs what it
// costs in earnest), known by its pid for CPU time and memory, and stopped the way an operator stops it.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTimes } from './process-cpu.ts';

/** CPU time of all threads since the start, and memory. Zeros where there is no /proc (then nothing is claimed). */
export interface Usage {
  readonly cpuMs: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
}

export interface StoresCpu {
  readonly redis: number;
  readonly database: number;
}

export interface Program {
  readonly pid: number;
  readonly port: number;
  /** From spawn to the log line that says it listens. */
  readonly listeningMs: number;
  usage(): Usage;
  /** CPU time since the start of the stores it works on, by name; absent where it has none. */
  storesCpuMs?(): StoresCpu;
  /** SIGTERM, then waits. Throws when it does not end with exit code 0 within ten seconds. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly script: string;
  readonly args: readonly string[];
  /** Node's own options; those of `npm start` when not given, so that echo and server run alike. */
  readonly nodeOptions?: readonly string[];
  /** All of it, but for PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Made anew; gets stdout and stderr. */
  readonly logFile: string;
  readonly timeoutMs: number;
}

/** The options that `npm start` gives to Node. */
function startOptions(): string[] {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    scripts: { start: string };
  };
  return manifest.scripts.start.split(' ').filter((word) => /^--(min|max)-/.test(word));
}

const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 2;

/** Starts the program and waits for its JSON log line `"msg":"listening"` with `"port"`. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const startedMs = performance.now();
  const log = openSync(options.logFile, 'w');
  const nodeOptions = options.nodeOptions ?? startOptions();
  const child = spawn(process.execPath, [...nodeOptions, options.script, ...options.args], {
    cwd: options.cwd,
    // Nothing of this shell's environment may change what is measured.
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
    child.once('error', () => resolve(null));
  });
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  void exited.then(() => process.off('exit', killWithUs));

  const port = await findPort(options, () => child.exitCode !== null || child.signalCode !== null);
  if (port === undefined || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new Error(`${options.script} did not start to listen:\n${tail(options.logFile)}`);
  }
  const listeningMs = performance.now() - startedMs;
  const pid = child.pid;
  const stop = async () => {
    child.kill('SIGTERM');
    const end = await Promise.race([exited, sleep(STOP_TIMEOUT_MS, 'no end', { ref: false })]);
    if (end === 0) return;
    child.kill('SIGKILL');
    throw new Error(`${options.script} ended with ${end} after SIGTERM:\n${tail(options.logFile)}`);
  };
  return { pid, port, listeningMs, usage: () => readUsage(pid), stop };
}

async function findPort(options: ProgramOptions, ended: () => boolean): Promise<number | undefined> {
  const deadlineMs = performance.now() + options.timeoutMs;
  while (performance.now() < deadlineMs) {
    for (const line of readFileSync(options.logFile, 'utf8').split('\n')) {
      const port = listeningPort(line);
      if (port !== undefined) return port;
    }
    if (ended()) return undefined;
    await sleep(POLL_MS);
  }
  return undefined;
}

/** The port of a log line that says the program listens; undefined for every other line. */
export function listeningPort(line: string): number | undefined {
  if (!line.startsWith('{') || !line.includes('"msg":"listening"') || !line.endsWith('}')) return undefined;
  const { port } = JSON.parse(line) as { port?: unknown };
  return typeof port === 'number' ? port : undefined;
}

/** The last two kilobytes of a log, which may be hundreds of megabytes long. */
function tail(logFile: string): string {
  const bytes = Buffer.alloc(2_048);
  const file = openSync(logFile, 'r');
  try {
    const read = readSync(file, bytes, 0, bytes.length, Math.max(0, fstatSync(file).size - bytes.length));
    return bytes.toString('utf8', 0, read);
  } finally {
    closeSync(file);
  }
}

function readUsage(pid: number): Usage {
  if (!existsSync(`/proc/${pid}/stat`)) return { cpuMs: 0, rssMiB: 0, peakRssMiB: 0 };
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuMs: processTimes(readFileSync(`/proc/${pid}/stat`, 'utf8')).ownMs,
    rssMiB: statusMiB(memory, 'VmRSS'),
    peakRssMiB: statusMiB(memory, 'VmHWM'),
  };
}

/** A size of /proc/<pid>/status, such as VmRSS, in MiB. */
export function statusMiB(status: string, name: string): number {
  const kiB = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Number(kiB ?? 0) / 1_024;
}

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** One HTTP request to a port of this machine, on a connection of its own. */
export function ask(
  port: number,
  method: string,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): Promise<Reply> {
  const { headers = {}, body } = options;
  const content = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, method, path, agent: false, headers: { ...content, ...headers } },
      (reply) => {
        const pieces: Buffer[] = [];
        reply.on('data', (piece: Buffer) => pieces.push(piece));
        reply.on('error', reject);
        reply.on('end', () => {
          const contentType = reply.headers['content-type'] ?? '';
          resolve({ status: reply.statusCode ?? 0, contentType, body: Buffer.concat(pieces).toString() });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}
