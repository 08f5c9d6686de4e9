// Several prepared statements in one message to the server and one answer back. The driver's own queries end each
// with a Sync, which makes the server send, and this process read, every answer by itself; here one Sync ends all.
// After an error the server skips the rest, so nothing behind a failed statement is done.
import type { SqlRow } from '../sql.ts';
import type { Messages } from './messages.ts';

/** What is used of the driver's protocol connection. */
interface Wire {
  readonly stream: { write(bytes: Buffer): void };
}

/** What is prepared once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Names of what a row has, in order; empty when it returns none. */
  readonly columns: readonly string[];
}

/** A statement with its parameters, all as text. */
export interface Step {
  readonly statement: Statement;
  readonly values: readonly (string | null)[];
}

/** The rows of a step: as arrays of the columns' texts. */
export type RawRows = (string | null)[][];

export interface PipelineResult {
  /** By step. */
  readonly rows: readonly RawRows[];
  /** What the last step did, in the server's words: `COMMIT`. */
  readonly lastCommand: string;
}

type Done = (error: Error | null, result?: PipelineResult) => void;

/** Given to the driver's `query`, which calls the methods below as answers come in. */
export class Pipeline {
  readonly #messages: Messages;
  readonly #prepare: readonly Statement[];
  readonly #steps: readonly Step[];
  readonly #rows: RawRows[] = [];
  readonly #done: Done;
  #step: RawRows = [];
  #lastCommand = '';

  /** Prepares the statements, then runs the steps. */
  constructor(messages: Messages, prepare: readonly Statement[], steps: readonly Step[], done: Done) {
    this.#messages = messages;
    this.#prepare = prepare;
    this.#steps = steps;
    this.#done = done;
  }

  /** The driver's name for where an answer goes; it would set one if there were none. */
  get callback(): Done {
    return this.#done;
  }

  submit(connection: unknown): null {
    const messages = this.#messages;
    messages.begin();
    for (const { name, text } of this.#prepare) messages.parse(name, text);
    for (const { statement, values } of this.#steps) {
      messages.bind(statement.name, values);
      messages.execute();
    }
    (connection as Wire).stream.write(messages.sync());
    return null;
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    this.#step.push(message.fields);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#rows.push(this.#step);
    this.#step = [];
    this.#lastCommand = message.text;
  }

  handleReadyForQuery(): void {
    this.#done(null, { rows: this.#rows, lastCommand: this.#lastCommand });
  }

  handleError(error: Error): void {
    this.#done(error);
  }

  // The protocol has them, these statements do not cause them.
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** Rows of a step by the names of its columns. */
export function named({ columns }: Statement, rows: RawRows): SqlRow[] {
  return rows.map((values) => {
    const row: Record<string, string | null> = {};
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i] ?? null;
    return row;
  });
}
