// CPU time of servers that are several processes, as PostgreSQL is. Every process also has the time of its children
// that have ended, so the time of a family never falls when one of its connections closes.
import { readdirSync, readFileSync } from 'node:fs';

// Clock ticks per second in /proc; 100 on every Linux that Node supports.
const PROC_TICKS_PER_SECOND = 100;

/** What is read of one /proc/<pid>/stat. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all threads, in milliseconds. */
  readonly ownMs: number;
  /** The same of its children that have ended, and of theirs. */
  readonly endedChildrenMs: number;
}

/** Reads the text of a /proc/<pid>/stat. */
export function processTimes(stat: string): ProcessTimes {
  // The name of the program stands in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ms = (first: number) =>
    ((Number(fields[first]) + Number(fields[first + 1])) * 1_000) / PROC_TICKS_PER_SECOND;
  const [pid, parent] = [Number.parseInt(stat, 10), Number(fields[1])];
  return { pid, parent, ownMs: ms(11), endedChildrenMs: ms(13) };
}

/** CPU time that a process and all its descendants have used. Zero where there is no /proc, and for process 0. */
export function familyCpuMs(root: number): number {
  if (root === 0) return 0;
  const all = allProcesses();
  const family = new Set([root]);
  // A child may have a smaller number than its parent, so one look is not enough.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all
    .filter(({ pid }) => family.has(pid))
    .reduce((sum, { ownMs, endedChildrenMs }) => sum + ownMs + endedChildrenMs, 0);
}

function allProcesses(): ProcessTimes[] {
  if (process.platform !== 'linux') return [];
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.flatMap((pid) => {
    try {
      return [processTimes(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}
