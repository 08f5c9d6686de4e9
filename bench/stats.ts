// The arithmetic of the benchmark: exact percentiles of all samples (no buckets, so no rounding to argue
// about; 200,000 samples are 1.6 MB), and medians of the ratios of neighbouring runs. A ratio is taken inside a
// pair, before the median, because a shared machine drifts: two neighbours drift together.

/** Latencies in milliseconds. All zero when nothing was measured. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The middle value, or the mean of the two in the middle. Throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)]!;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]!;
  return (lower + upper) / 2;
}

/**
 * The smallest sample that at least `percent` of all samples do not exceed (nearest rank).
 * The samples must be in ascending order and not empty.
 */
export function percentile(sorted: Float64Array, percent: number): number {
  if (sorted.length === 0) throw new RangeError('there is no percentile of nothing');
  // The small number takes back what floating point adds: 99.9 % of 1,000 is 999, not 999.0000000000001.
  const rank = Math.ceil((percent / 100) * sorted.length - 1e-9);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
}

/** Sorts the samples in place and summarizes them. */
export function summarize(samples: Float64Array): Percentiles {
  if (samples.length === 0) return { p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  samples.sort();
  return {
    p50: percentile(samples, 50),
    p90: percentile(samples, 90),
    p99: percentile(samples, 99),
    p999: percentile(samples, 99.9),
    max: percentile(samples, 100),
  };
}

/** The median of `b / a` over pairs of neighbouring runs. Throws RangeError when a denominator is not positive. */
export function medianRatio(pairs: readonly { readonly a: number; readonly b: number }[]): number {
  return median(
    pairs.map(({ a, b }) => {
      if (!(a > 0)) throw new RangeError(`cannot compare with a rate of ${a}`);
      return b / a;
    }),
  );
}
