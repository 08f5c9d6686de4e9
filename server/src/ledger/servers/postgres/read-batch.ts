// Asks for what a batch needs to know: steps of one pipeline, and their rows. Each is a statement of its own behind
// the lock, because READ COMMITTED looks anew with every statement: what is read after the lock is what is true.

import { bigints, texts } from '../../../drivers/sql/postgres/arrays.ts';
import { named, type RawRows, type Statement, type Step } from '../../../drivers/sql/postgres/pipeline.ts';
import type { SqlRow } from '../../../drivers/sql/sql.ts';
import type { BatchQuery, BatchRows } from '../shared/sql-server.ts';
import * as sql from './statements.ts';

export function readSteps({ eventNos, claims, holds, orders, keys, buyers }: BatchQuery): Step[] {
  const isOne = eventNos.length === 1;
  const steps: Step[] = [
    { statement: sql.BEGIN, values: [] },
    isOne
      ? { statement: sql.LOCK_HEAD, values: [`${eventNos[0]}`] }
      : { statement: sql.LOCK_HEADS, values: [bigints(eventNos, (eventNo) => eventNo)] },
  ];
  if (claims.length > 0) {
    const tickets = bigints(claims, ({ ticket }) => ticket);
    steps.push({ statement: sql.READ_CLAIMS, values: [numbersOf(claims), tickets] });
  }
  if (holds.length > 0) {
    const holdIds = bigints(holds, ({ holdId }) => holdId);
    steps.push({ statement: sql.READ_HOLDS, values: [numbersOf(holds), holdIds] });
  }
  if (orders.length > 0) {
    const orderIds = bigints(orders, ({ orderId }) => orderId);
    steps.push({ statement: sql.READ_ORDERS, values: [numbersOf(orders), orderIds] });
  }
  if (keys.length > 0) {
    steps.push({ statement: sql.READ_KEPT, values: [numbersOf(keys), texts(keys, ({ digest }) => digest)] });
  }
  if (buyers.length > 0) {
    const names = texts(buyers, ({ buyer }) => buyer);
    steps.push({ statement: sql.READ_BELONGINGS, values: [numbersOf(buyers), names] });
  }
  return steps;
}

function numbersOf(rows: readonly { readonly eventNo: number }[]): string {
  return bigints(rows, ({ eventNo }) => eventNo);
}

export function rowsOf(steps: readonly Step[], rows: readonly RawRows[]): BatchRows {
  const of = (...statements: Statement[]): SqlRow[] => {
    const index = steps.findIndex(({ statement }) => statements.includes(statement));
    return index < 0 ? [] : named(steps[index]!.statement, rows[index]!);
  };
  return {
    heads: of(sql.LOCK_HEAD, sql.LOCK_HEADS),
    claims: of(sql.READ_CLAIMS),
    holds: of(sql.READ_HOLDS),
    orders: of(sql.READ_ORDERS),
    kept: of(sql.READ_KEPT),
    belongings: of(sql.READ_BELONGINGS),
  };
}
