// Finds and ends all that a test file has started, also what has left its process group, has lost its parent, or is
// stopped. No single trace is enough: a process may start a group or a session of its own, an orphan has a new parent,
// and PostgreSQL and Redis write over their environment to show what they do. So each of these traces counts, and who
// descends from one that was found belongs to it too. Where there is no /proc, only the group is known.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names the run in the environment of all that it starts. A run within a run adds its own name. */
export const RUN_VARIABLE = 'FLOODGATE_TEST_RUN';

const LOOK_AGAIN_MS = 10;

/** A process of Linux. Its start tells it from a later one that was given the same number. */
interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly start: string;
}

export class ProcessFamily {
  readonly #leader: number;
  readonly #mark: string;
  /** Number and start of all that was ever found. */
  readonly #known = new Map<number, string>();

  /** Of the process that leads the group, with the mark that its environment holds. */
  constructor(leader: number, mark: string) {
    assert.ok(leader > 1 && mark !== '', 'this would be the family of everybody');
    this.#leader = leader;
    this.#mark = mark;
  }

  /** Looks who is there now, so that they are known also when the parent that tells whose they are has died. */
  look(): readonly number[] {
    const rows = allProcesses();
    const found = new Set(rows.filter((row) => this.#isOurs(row)));
    for (const parent of found) {
      for (const row of rows) if (row.parent === parent.pid) found.add(row);
    }
    for (const { pid, start } of found) this.#known.set(pid, start);
    return [...found].map(({ pid }) => pid).filter((pid) => pid !== process.pid);
  }

  /** SIGKILL for everybody who is there, stopped or not; returns how many they were. */
  kill(): number {
    const there = this.look();
    for (const pid of there) signal(pid, 'SIGKILL');
    if (process.platform !== 'win32') signal(-this.#leader, 'SIGKILL');
    return there.length;
  }

  /** Kills until nobody is left, for the killed may have just started somebody. Returns whether nobody is. */
  async end(withinMs: number): Promise<boolean> {
    for (const giveUpMs = performance.now() + withinMs; this.kill() > 0; await sleep(LOOK_AGAIN_MS)) {
      if (performance.now() > giveUpMs) return false;
    }
    return true;
  }

  #isOurs({ pid, group, session, start }: Row): boolean {
    if (group === this.#leader || session === this.#leader) return true;
    return this.#known.get(pid) === start || read(`/proc/${pid}/environ`).includes(this.#mark);
  }
}

/** All that has not ended; a zombie has. */
function allProcesses(): Row[] {
  return listProc()
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      // The name of the program stands in brackets and may itself hold spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [state = 'X', parent, group, session] = fields;
      if (stat === '' || state === 'Z' || state === 'X') return [];
      const numbers = { parent: Number(parent), group: Number(group), session: Number(session) };
      return [{ pid: Number(name), ...numbers, start: fields[19]! }];
    });
}

function listProc(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** Nothing of a process that has ended meanwhile, or whose environment is not ours to see. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
