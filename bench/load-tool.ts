// The load of the headline figures comes from a tool that others know and can run themselves: wrk where it is in
// the PATH (least overhead, so the server is what is measured), else autocannon from npm. Both are closed loops.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Percentiles } from './stats.ts';

/** One fixed request, but for its key. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON; empty for none. */
  readonly body: string;
  /** Whether each request has an `Idempotency-Key` of its own, as a careful client's has. */
  readonly isKeyed?: boolean;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Whole seconds: wrk knows no others. */
  readonly seconds: number;
  readonly request: LoadRequest;
}

export interface LoadResult {
  /** Whole answers, whatever their status. */
  readonly requests: number;
  readonly perSecond: number;
  /** Answers with a status of 400 and above. */
  readonly refused: number;
  /** Connections that failed, and answers that took more than the tool's timeout (wrk: 2 s, autocannon: 10 s). */
  readonly errors: number;
  readonly latencyMs: Percentiles;
}

export interface LoadTool {
  /** With its version. */
  readonly name: string;
  run(load: Load): Promise<LoadResult>;
}

const execute = promisify(execFile);
const WRK_SCRIPT = join(import.meta.dirname, 'wrk', 'load.lua');
// What a tool may take beyond the load itself: connecting, and waiting for the last answers.
const GRACE_MS = 15_000;

/** wrk if it is installed, else autocannon. */
export async function findLoadTool(): Promise<LoadTool> {
  const version = await wrkVersion();
  return version === undefined ? autocannon() : { name: version, run: runWrk };
}

// Asked for its version, wrk prints it and exits with 1.
async function wrkVersion(): Promise<string | undefined> {
  const answer = await execute('wrk', ['-v']).catch((error: { stdout?: string }) => error);
  return /^(wrk \S+)/.exec(answer.stdout ?? '')?.[1];
}

async function runWrk({ port, connections, seconds, request }: Load): Promise<LoadResult> {
  const url = `http://127.0.0.1:${port}`;
  const settings = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', WRK_SCRIPT, url];
  const timeout = seconds * 1_000 + GRACE_MS;
  const { method, path, body, isKeyed } = request;
  const sent = [method, path, body, ...(isKeyed ? ['keyed'] : [])];
  const { stdout } = await execute('wrk', [...settings, '--', ...sent], { timeout });
  return parseWrk(stdout);
}

/** Reads the line of JSON that wrk/load.lua prints among wrk's own lines. */
export function parseWrk(output: string): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk said nothing that was measured:\n${output}`);
  const said = JSON.parse(line) as Record<WrkNumber, number>;
  return {
    requests: said.requests,
    perSecond: (said.requests * 1e6) / said.durationUs,
    refused: said.refused,
    errors: said.connect + said.read + said.write + said.timeout,
    latencyMs: {
      p50: said.p50 / 1_000,
      p90: said.p90 / 1_000,
      p99: said.p99 / 1_000,
      p999: said.p999 / 1_000,
      max: said.max / 1_000,
    },
  };
}

type WrkCount = 'requests' | 'durationUs' | 'refused' | 'connect' | 'read' | 'write' | 'timeout';
type WrkNumber = WrkCount | keyof Percentiles;

function autocannon(): LoadTool {
  const require = createRequire(import.meta.url);
  const { version } = require('autocannon/package.json') as { version: string };
  const script = require.resolve('autocannon');
  const run = async ({ port, connections, seconds, request }: Load) => {
    const content = request.body === '' ? [] : ['-b', request.body, '-H', 'Content-Type: application/json'];
    // autocannon puts an id of its own in the place of [<id>].
    const keys = request.isKeyed ? ['-I', '-H', 'Idempotency-Key: bench-key-[<id>]'] : [];
    const settings = [
      '-j',
      '-n',
      '-c',
      `${connections}`,
      '-d',
      `${seconds}`,
      '-m',
      request.method,
      ...content,
      ...keys,
    ];
    const url = `http://127.0.0.1:${port}${request.path}`;
    const timeout = seconds * 1_000 + GRACE_MS;
    const { stdout } = await execute(process.execPath, [script, ...settings, url], { timeout });
    return parseAutocannon(stdout);
  };
  return { name: `autocannon ${version} (wrk is not installed; it would cost the machine less)`, run };
}

interface AutocannonReport {
  readonly duration: number;
  readonly requests: { readonly total: number };
  readonly latency: Readonly<Record<'p50' | 'p90' | 'p99' | 'p99_9' | 'max', number>>;
  readonly '4xx': number;
  readonly '5xx': number;
  /** Includes the timeouts. */
  readonly errors: number;
}

/** Reads autocannon's JSON. Its latencies are whole milliseconds. */
export function parseAutocannon(output: string): LoadResult {
  const said = JSON.parse(output) as AutocannonReport;
  const { p50, p90, p99, p99_9: p999, max } = said.latency;
  return {
    requests: said.requests.total,
    perSecond: said.requests.total / said.duration,
    refused: said['4xx'] + said['5xx'],
    errors: said.errors,
    latencyMs: { p50, p90, p99, p999, max },
  };
}
