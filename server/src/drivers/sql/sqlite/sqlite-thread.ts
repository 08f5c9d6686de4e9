// The thread of a SQLite file: one statement after the other, as they come. What was answered is on disk: cold data is
// no reason to lose what somebody was told.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqlResult, SqlValue } from '../sql.ts';

export interface FileCall {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** An answer, or a fault that can be thrown again on the other side. */
export type FileAnswer =
  | { readonly id: number; readonly result: SqlResult }
  | { readonly id: number; readonly fault: { readonly message: string; readonly errcode: number } };

/** How long another process may have the file locked. */
const BUSY_MS = 5_000;

const port = parentPort!;

function answer(id: number, act: () => SqlResult): void {
  try {
    port.postMessage({ id, result: act() } satisfies FileAnswer);
  } catch (error) {
    const { message, errcode = 0 } = error as Error & { errcode?: number };
    port.postMessage({ id, fault: { message, errcode } } satisfies FileAnswer);
  }
}

const NOTHING: SqlResult = { rows: [], changed: 0 };

answer(0, () => {
  const db = new DatabaseSync(workerData as string, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
  } catch (error) {
    db.close();
    throw error;
  }
  port.on('message', (call: FileCall | 'close') => {
    if (call === 'close') {
      db.close();
      port.close();
    } else {
      answer(call.id, () => execute(db, call));
    }
  });
  return NOTHING;
});

function execute(db: DatabaseSync, { sql, parameters }: FileCall): SqlResult {
  const statement = db.prepare(sql);
  // A JavaScript number would arrive as a fraction, and make one of whatever it is added to.
  const values = parameters.map((each) => (typeof each === 'number' ? BigInt(each) : each));
  if (statement.columns().length > 0) return { rows: statement.all(...values), changed: 0 };
  return { rows: [], changed: Number(statement.run(...values).changes) };
}
