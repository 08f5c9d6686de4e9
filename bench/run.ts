// npm run bench [suite …] [--quick] [--list]: measures, prints every figure with its verdict, and writes
// bench/results/<suite>.json with all it takes to judge the figures: machine, commit, settings, every single run.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bench, type Figure, type Suite, tableOf } from './bench.ts';
import { findLoadTool, type LoadTool } from './load-tool.ts';
import { type Commit, describeCommit, describeMachine, type Machine } from './machine.ts';
import { baselines } from './suites/baselines.ts';
import { before } from './suites/before.ts';
import { cheap } from './suites/cheap.ts';
import { connections } from './suites/connections.ts';
import { durable } from './suites/durable.ts';
import { fallback } from './suites/fallback.ts';
import { keys } from './suites/keys.ts';
import { openLoop } from './suites/open-loop.ts';
import { recovery } from './suites/recovery.ts';
import { scaling } from './suites/scaling.ts';
import { seats } from './suites/seats.ts';
import { shapes } from './suites/shapes.ts';
import { start } from './suites/start.ts';
import { stores } from './suites/stores.ts';
import { thousandUsers } from './suites/thousand-users.ts';

const SUITES: readonly Suite[] = [
  ...[durable, cheap, connections, openLoop, thousandUsers, shapes, keys, seats, start],
  ...[stores, baselines, fallback, scaling, recovery, before],
];
const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');
// A load average of an otherwise idle machine is below this.
const BUSY_LOAD = 0.5;

/** What all suites of one call share. */
interface Circumstances {
  readonly quick: boolean;
  readonly tool: LoadTool;
  readonly commit: Commit;
  /** Holds the ledgers; on the disk of the checkout, because a temporary folder is often in memory. */
  readonly folder: string;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
  });
  if (values.list) {
    for (const suite of SUITES) console.log(`${suite.name.padEnd(16)}${suite.question}`);
    return;
  }
  const suites = chooseSuites(positionals);
  const tool = await findLoadTool();
  mkdirSync(join(ROOT, 'data'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'data', 'bench-'));
  // Exit handlers stop the programs under test, also when the run is interrupted.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const circumstances = { quick: values.quick, tool, commit: describeCommit(ROOT), folder };
  console.log(
    `Load by ${tool.name}; Node ${process.version}${values.quick ? '; quick: figures are a hint' : ''}`,
  );
  if (loadavg()[0]! > BUSY_LOAD)
    console.log('Something else keeps this machine busy: trust ratios and CPU, not rates');
  for (const suite of suites) await runSuite(suite, circumstances);
}

function chooseSuites(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return SUITES.filter(({ isAskedFor }) => !isAskedFor);
  return names.map((name) => {
    const suite = SUITES.find((one) => one.name === name);
    if (suite !== undefined) return suite;
    throw new Error(`no suite "${name}": there are ${SUITES.map((one) => one.name).join(', ')}`);
  });
}

/** A suite that throws does not take the others with it, but the command fails. */
async function runSuite(suite: Suite, circumstances: Circumstances): Promise<void> {
  console.log(`\n${suite.name}: ${suite.question}`);
  const folder = join(circumstances.folder, suite.name);
  mkdirSync(folder);
  const machine = describeMachine(folder);
  const settings = circumstances.quick
    ? { pairs: 3, seconds: 1, warmUpSeconds: 1 }
    : { pairs: 5, seconds: 3, warmUpSeconds: 2, ...suite.settings };
  const { quick, tool } = circumstances;
  const bench: Bench = { quick, tool, folder, ...settings, say: (line) => console.log(`  … ${line}`) };
  const startedMs = performance.now();
  try {
    const { figures, raw } = await suite.run(bench);
    const tookSeconds = Math.round((performance.now() - startedMs) / 1_000);
    const file = writeResult(suite, circumstances, { machine, settings, tookSeconds, figures, raw });
    console.log(`${tableOf(figures)}\n  ${tookSeconds} s; every run is in ${file}`);
  } catch (error) {
    console.error(`  ${suite.name} could not be measured:`, error);
    process.exitCode = 1;
  }
  rmSync(folder, { recursive: true, force: true });
}

interface Result {
  readonly machine: Machine;
  readonly settings: object;
  readonly tookSeconds: number;
  readonly figures: readonly Figure[];
  readonly raw: unknown;
}

/** Quick results are for the one who ran them: git ignores `local-*`. */
function writeResult(suite: Suite, { quick, tool, commit }: Circumstances, result: Result): string {
  mkdirSync(RESULTS, { recursive: true });
  const name = `${quick ? 'local-' : ''}${suite.name}.json`;
  const { settings, ...rest } = result;
  const document = {
    suite: suite.name,
    question: suite.question,
    date: new Date().toISOString(),
    ...commit,
    node: process.version,
    loadTool: tool.name,
    settings: { ...settings, quick },
    ...rest,
  };
  writeFileSync(join(RESULTS, name), `${JSON.stringify(document, null, 2)}\n`);
  return join('bench', 'results', name);
}

await main();
