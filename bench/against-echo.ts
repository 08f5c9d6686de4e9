// The comparison that the headline figures are: the same request under the same load, answered by the echo and by
// the server in turns. The ratio says what all the work of the server (validation, sale, durability, logs,
// metrics) leaves of the speed of bare HTTP on the same machine in the same minute.
import { type Bench, type Figure, figure, round, type Target } from './bench.ts';
import type { LoadRequest, LoadResult } from './load-tool.ts';
import { alternate, measureLoad, medianOf, type Pair, type Run } from './measure.ts';
import type { Program, StoresCpu } from './program.ts';
import { startEcho, using } from './server-under-test.ts';
import { medianRatio } from './stats.ts';

export interface EchoComparison {
  readonly request: LoadRequest;
  readonly connections: number;
  /** Whether the answers are grants (2xx), or refusals (4xx: then all of them must be). */
  readonly answers: 'granted' | 'refused';
  readonly target?: Target;
}

export interface EchoComparisonResult {
  /** a = echo, b = server. */
  readonly pairs: readonly Pair<Run>[];
  readonly problems: readonly string[];
  /** All requests the server has answered, with the warm-up and the one from which the echo learned. */
  readonly answered: number;
  /** Loads the server had: at the end of each, up to a request per connection was under way and is not counted. */
  readonly loads: number;
}

/** Warms both up, then measures them in turns. */
export function compareWithEcho(
  bench: Bench,
  server: Program,
  { request, connections, answers }: EchoComparison,
): Promise<EchoComparisonResult> {
  const expected = answers === 'granted' ? [200, 201] : [409];
  return using(startEcho(bench, server, request, expected), async (echo) => {
    const load = { request, connections, seconds: bench.seconds };
    // The echo is so small that it is warm after a tenth of a second; a quick run leaves it at that.
    if (!bench.quick) await measureLoad(bench, echo, { ...load, seconds: 1 });
    const warm = await measureLoad(bench, server, { ...load, seconds: bench.warmUpSeconds });
    const pairs = await alternate(
      bench,
      () => measureLoad(bench, echo, load),
      () => measureLoad(bench, server, load),
    );
    const runs = pairs.map((pair) => pair.b);
    const problems = [warm, ...runs].flatMap((run) => problemsOf(run, answers));
    const answered = [warm, ...runs].reduce((sum, run) => sum + run.requests, 1);
    return { pairs, problems, answered, loads: 1 + runs.length };
  });
}

/** What must not happen in a run whose figures count. */
export function problemsOf(run: LoadResult, answers: 'granted' | 'refused'): string[] {
  const problems: string[] = [];
  if (run.requests === 0) problems.push('nothing was answered');
  if (run.errors > 0) problems.push(`${run.errors} connections or answers failed`);
  const unexpected = answers === 'granted' ? run.refused : run.requests - run.refused;
  if (unexpected > 0) problems.push(`${unexpected} of ${run.requests} answers were not ${answers}`);
  return problems;
}

/** The figure of a comparison: the ratio, and beside it the rates, the latency and the CPU of both. */
export function ratioFigure(name: string, comparison: EchoComparison, result: EchoComparisonResult): Figure {
  const echoRuns = result.pairs.map((pair) => pair.a);
  const serverRuns = result.pairs.map((pair) => pair.b);
  const value = medianRatio(result.pairs.map(({ a, b }) => ({ a: a.perSecond, b: b.perSecond })));
  const detail = `server ${sideOf(serverRuns)}; echo ${sideOf(echoRuns)}`;
  return figure({ name, value, unit: '× of the echo', detail }, comparison.target, result.problems);
}

/** The rate, the CPU (its own and, where it has some, of its stores) and the latency of the runs of one program. */
export function sideOf(runs: readonly Run[]): string {
  const perSecond = medianOf(runs, (run) => run.perSecond);
  const cpuUs = medianOf(runs, (run) => run.cpuUsPerRequest);
  const p50 = medianOf(runs, (run) => run.latencyMs.p50);
  const p99 = medianOf(runs, (run) => run.latencyMs.p99);
  return `${round(perSecond)}/s, ${round(cpuUs)} µs CPU each${ofStores(runs)}, p50 ${round(p50)} ms, p99 ${round(p99)} ms`;
}

function ofStores(runs: readonly Run[]): string {
  if (runs.some((run) => run.storesCpuUsPerRequest === undefined)) return '';
  const us = (store: keyof StoresCpu) => round(medianOf(runs, (run) => run.storesCpuUsPerRequest![store]));
  return ` (and Redis ${us('redis')}, the database ${us('database')})`;
}
