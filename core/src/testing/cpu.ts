// How much CPU a piece of work takes, for tests that bound it. Wall clocks say nothing on a machine that others use too.

/** Milliseconds of CPU of the whole process; the least of three times. */
export function cpuMs(work: () => void): number {
  const each = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...each);
}
