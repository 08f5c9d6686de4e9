// What a suite is given and what it gives back. A figure carries its target and the verdict, so that a result
// file can be read without knowing the code that made it.
import type { LoadTool } from './load-tool.ts';

/** How much is measured. */
export interface Settings {
  /** Compared runs alternate A B A B …: this many pairs. */
  readonly pairs: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** The circumstances of one run of the benchmark. */
export interface Bench extends Settings {
  readonly quick: boolean;
  readonly tool: LoadTool;
  /** A folder of this suite's own, on the disk where a ledger would lie; removed afterwards. */
  readonly folder: string;
  /** One line on what goes on. */
  say(line: string): void;
}

export type Comparison = '≥' | '≤' | '<' | '=';

export interface Target {
  readonly is: Comparison;
  readonly limit: number;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `×` for a ratio. */
  readonly unit: string;
  readonly target?: Target;
  /** Absent where there is no target. A target is not met when anything went wrong, whatever the value. */
  readonly met?: boolean;
  /** What belongs beside the figure: rates, CPU, what went wrong. */
  readonly detail: string;
}

export interface SuiteResult {
  readonly figures: readonly Figure[];
  /** Every single run, and what was run. */
  readonly raw: unknown;
}

export interface Suite {
  readonly name: string;
  /** What it answers, in one line. */
  readonly question: string;
  /** Where it differs from the other suites; a quick run is quick all the same. */
  readonly settings?: Partial<Settings>;
  /** Runs when it is named, never as one of all. */
  readonly isAskedFor?: true;
  run(bench: Bench): Promise<SuiteResult>;
}

/** A figure with its verdict. `problems` are what went wrong in the runs it comes from. */
export function figure(
  claim: { readonly name: string; readonly value: number; readonly unit: string; readonly detail: string },
  target?: Target,
  problems: readonly string[] = [],
): Figure {
  const detail = [claim.detail, ...problems.map((problem) => `WRONG: ${problem}`)].filter(Boolean).join('; ');
  if (target === undefined && problems.length === 0) return { ...claim, detail };
  const met = problems.length === 0 && target !== undefined && meets(claim.value, target);
  return { ...claim, detail, ...(target && { target }), met };
}

function meets(value: number, { is, limit }: Target): boolean {
  switch (is) {
    case '≥':
      return value >= limit;
    case '≤':
      return value <= limit;
    case '<':
      return value < limit;
    case '=':
      return value === limit;
  }
}

/** The figures as a table for people. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((row) => [
    row.name,
    `${round(row.value)} ${row.unit}`,
    row.target === undefined ? '–' : `${row.target.is} ${round(row.target.limit)}`,
    row.met === undefined ? '–' : row.met ? 'met' : 'NOT MET',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  return rows
    .map((row, index) => {
      const cells = row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
      const { detail } = figures[index]!;
      return `  ${cells.trimEnd()}${detail === '' ? '' : `\n      ${detail}`}`;
    })
    .join('\n');
}

/** A number as people read it: three digits that matter, thousands apart. */
export function round(value: number): string {
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3);
}
