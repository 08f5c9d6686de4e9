// Any program of the server as a person starts it: with arguments, with settings, in a folder of its own. All that
// it says is kept, so that tests can ask what was said, in how many lines, and what was never said.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patienceMs } from '@floodgate/core/testing/patience.ts';

export type Script = 'main.ts' | 'seed.ts' | 'db-reset.ts' | 'audit.ts';

export interface ProgramOptions {
  readonly script?: Script;
  readonly args?: readonly string[];
  /** All of its environment but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started, and so where `data/` lies. */
  readonly folder: string;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long the program lived. */
  readonly ms: number;
}

/** A program that says nothing of what is waited for, or does not end, is a failed test. */
const TIMEOUT_MS = patienceMs(8_000);

/** In its log, or, where that says only warnings, in its welcome. */
const LISTENING = /"port":(\d+).*"msg":"listening"\}\n|selling at http:\/\/localhost:(\d+)\n/;

export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';
  readonly #startedMs = performance.now();
  #isOver = false;
  #wake = (): void => {};

  private constructor({ script = 'main.ts', args = [], env = {}, folder }: ProgramOptions) {
    this.child = spawn(process.execPath, [scriptFile(script), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#isOver = true;
        this.#wake();
        resolve({ code, signal, ms: performance.now() - this.#startedMs });
      });
    });
  }

  /** Starts it; it ends with the test at the latest. */
  static start(t: TestContext, options: ProgramOptions): Program {
    const program = new Program(options);
    t.after(async () => {
      if (!program.#isOver) program.child.kill('SIGKILL');
      await program.ended;
    });
    return program;
  }

  /** Starts the shop on a free port of the loopback and waits until it listens. */
  static async open(t: TestContext, options: ProgramOptions): Promise<Program & { readonly port: number }> {
    const program = Program.start(t, { ...options, env: { HOST: '127.0.0.1', PORT: '0', ...options.env } });
    const [, logged, welcomed] = await program.saying(LISTENING);
    return Object.assign(program, { port: Number(logged ?? welcomed) });
  }

  /** Runs it to its end. */
  static async run(t: TestContext, options: ProgramOptions): Promise<Program & Ending> {
    const program = Program.start(t, options);
    const tooLong = setTimeout(() => program.child.kill('SIGKILL'), TIMEOUT_MS);
    const ending = await program.ended;
    clearTimeout(tooLong);
    return Object.assign(program, ending);
  }

  /** Waits until standard output matches. */
  async saying(wanted: RegExp): Promise<RegExpExecArray> {
    const tooLong = setTimeout(() => this.child.kill('SIGKILL'), TIMEOUT_MS);
    try {
      for (;;) {
        const match = wanted.exec(this.stdout);
        if (match) return match;
        if (this.#isOver)
          throw new Error(`it ended without ${wanted}, saying:\n${this.stdout}${this.stderr}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(tooLong);
    }
  }

  /** The lines of its log, as objects. */
  get log(): Readonly<Record<string, unknown>>[] {
    const lines = this.stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

export function scriptFile(script: Script): string {
  const folder = script === 'main.ts' ? '' : 'commands/';
  return fileURLToPath(new URL(`../../src/${folder}${script}`, import.meta.url));
}

/** A folder that ends with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-program-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
