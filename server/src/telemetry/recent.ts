// The latest latencies, for percentiles of now (rows A3, B3). A histogram's buckets would be too coarse for them.

const SIZE = 4_096;

export class RecentLatencies {
  readonly #ms = new Float32Array(SIZE);
  #count = 0;

  add(ms: number): void {
    this.#ms[this.#count++ % SIZE] = ms;
  }

  /** Percentiles (0–100) of the latest 4,096 in milliseconds; 0 when there are none. */
  percentiles(...points: readonly number[]): number[] {
    const sorted = this.#ms.slice(0, Math.min(this.#count, SIZE)).sort();
    return points.map((point) => {
      const index = Math.min(sorted.length - 1, Math.floor((sorted.length * point) / 100));
      return Math.round((sorted[index] ?? 0) * 1_000) / 1_000;
    });
  }
}
