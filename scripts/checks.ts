// The checks that run before the tests: format and lint (Biome), types (TypeScript), structure and API document (our own).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkStructure } from './check-structure.ts';

export const ROOT = path.dirname(import.meta.dirname);

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What the check has to say, also when it is content; mostly empty. */
  readonly output: string;
  readonly durationMs: number;
}

/** A tenth of it is what the slowest check takes. */
const CHECK_TIMEOUT_MS = 300_000;

/**
 * Runs all checks at once. `fix` lets Biome write what it can repair. `signal` ends them, and so does their limit, which
 * grows with the machine's slowness (slowness.ts).
 */
export function runChecks(fix: boolean, signal?: AbortSignal, slowness = 1): Promise<CheckResult[]> {
  const limits = { signal, timeout: CHECK_TIMEOUT_MS * slowness };
  const biome = ['check', '--error-on-warnings', ...(fix ? ['--write'] : []), '.'];
  return Promise.all([
    timed('format and lint', () => runTool('@biomejs/biome/bin/biome', biome, limits)),
    timed('types', () =>
      runTool(
        'typescript/bin/tsc',
        ['--project', '.', '--pretty', String(process.stdout.isTTY === true)],
        limits,
      ),
    ),
    timed('structure', runStructureCheck),
    timed('API document', () => checkDocument(fix)),
  ]);
}

/** One line for a result, then what the check says. */
export function describeCheck({ name, ok, output, durationMs }: CheckResult): string {
  const line = `${ok ? '✔' : '✖'} ${name} (${(durationMs / 1000).toFixed(1)} s)\n`;
  return output === '' ? line : `${line}${output.trimEnd()}\n`;
}

interface Limits {
  readonly signal: AbortSignal | undefined;
  /** In milliseconds. */
  readonly timeout: number;
}

type Verdict = Pick<CheckResult, 'ok' | 'output'>;

async function timed(name: string, run: () => Promise<Verdict>): Promise<CheckResult> {
  const startedAtMs = performance.now();
  return { name, ...(await run()), durationMs: performance.now() - startedAtMs };
}

async function runStructureCheck(): Promise<Verdict> {
  const findings = checkStructure(ROOT);
  return {
    ok: findings.every(({ level }) => level !== 'error'),
    output: findings
      .map(({ level, rule, path, line, message }) => `${level} ${rule}: ${path}:${line} ${message}\n`)
      .join(''),
  };
}

/** Loads the doors with all that they import, so only when it is due; a project without doors has no document. */
async function checkDocument(fix: boolean): Promise<Verdict> {
  if (!existsSync(path.join(ROOT, 'server', 'src', 'http', 'doors'))) return { ok: true, output: '' };
  const { checkApiDocument } = await import('./api-document.ts');
  const output = checkApiDocument(ROOT, fix);
  return { ok: output === '', output };
}

/** Runs a tool from node_modules. What a content tool says ("Checked 80 files") is not worth a line. */
async function runTool(tool: string, args: readonly string[], limits: Limits): Promise<Verdict> {
  const { signal, timeout } = limits;
  const child = spawn(process.execPath, [path.join(ROOT, 'node_modules', tool), ...args], {
    cwd: ROOT,
    env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    ...(signal && { signal }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.on('error', (fault) => resolve({ ok: false, output: `${tool}: ${fault.message}` }));
    child.on('close', (code) => resolve(code === 0 ? { ok: true, output: '' } : { ok: false, output }));
  });
}
