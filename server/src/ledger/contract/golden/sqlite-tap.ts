// Says which statements go to SQLite, of every connection of this thread: the methods of Node's own classes are
// wrapped while it listens, and do what they always do.
import { DatabaseSync, type SQLInputValue, StatementSync } from 'node:sqlite';
import type { Listener } from './wire-tap.ts';

const RUNS = ['run', 'get', 'all', 'iterate'] as const;

/** Returns what ends it. */
export function tapSqlite(listener: Listener): () => void {
  const database = DatabaseSync.prototype;
  const statement = StatementSync.prototype;
  const { exec, prepare } = database;
  database.exec = function (sql) {
    listener.sent(sql, []);
    exec.call(this, sql);
  };
  database.prepare = function (sql, ...rest) {
    listener.prepared(sql);
    return prepare.call(this, sql, ...rest);
  };
  const originals = RUNS.map((name) => statement[name]);
  for (const [index, name] of RUNS.entries()) {
    const original = originals[index] as (...values: SQLInputValue[]) => unknown;
    Object.assign(statement, {
      [name](this: StatementSync, ...values: SQLInputValue[]) {
        listener.sent(this.sourceSQL, values);
        return original.apply(this, values);
      },
    });
  }
  return () => {
    Object.assign(database, { exec, prepare });
    for (const [index, name] of RUNS.entries()) Object.assign(statement, { [name]: originals[index] });
  };
}
