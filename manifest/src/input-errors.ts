// What is wrong with a file that somebody wrote: each fault with its place and a sentence that says what to do. Only the
// first faults are told, so that a megabyte of garbage is refused in few words, and early.

/** A place in a file: its line from 1, or the way to a member, as in `sections.0.rows.3.seats`; or both. */
export interface Where {
  readonly line?: number | undefined;
  readonly path?: string | undefined;
}

export interface Problem extends Where {
  readonly message: string;
}

export const MAX_PROBLEMS = 20;

export class Problems {
  readonly #found: Problem[] = [];
  #isOver = false;

  /** In the order they were found. */
  get found(): readonly Problem[] {
    return this.#found;
  }

  /** Whether looking for more is of no use. */
  get full(): boolean {
    return this.#isOver || this.#found.length >= MAX_PROBLEMS;
  }

  add(where: Where, message: string): void {
    if (!this.full) this.#found.push({ ...where, message });
  }

  /** As {@link add}, of a fault after which the rest cannot be judged. */
  end(where: Where, message: string): void {
    this.add(where, message);
    this.#isOver = true;
  }
}

/** A text of a file as it is shown in a sentence: quoted, and never long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
