// What a batch writes, as the steps of one pipeline that ends with its COMMIT.
import { unreachable } from '@floodgate/core/assert.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import { bigints, lines, texts } from '../../../drivers/sql/postgres/arrays.ts';
import type { Statement, Step } from '../../../drivers/sql/postgres/pipeline.ts';
import {
  CLAIMS,
  type Column,
  claimNumber,
  EVENTS,
  givenToChange,
  HOLDS,
  JOURNAL,
  KEPT,
  type OfEvent,
  ORDERS,
  ticketsText,
} from '../../tables.ts';
import type { BatchWrite, ForeseenHead } from '../shared/sql-server.ts';
import * as sql from './statements.ts';

type Arrays<Row> = (rows: readonly Row[]) => string[];

const NEW_EVENTS = arraysOf(EVENTS.columns);
const CHANGED_EVENTS = arraysOf(givenToChange(EVENTS));
const NEW_CLAIMS = arraysOf(CLAIMS.columns);
const NEW_HOLDS = arraysOf(HOLDS.columns);
const CHANGED_HOLDS = arraysOf(givenToChange(HOLDS));
const NEW_ORDERS = arraysOf(ORDERS.columns);
const CHANGED_ORDERS = arraysOf(givenToChange(ORDERS));
const NEW_ENTRIES = arraysOf(JOURNAL.columns);
const NEW_KEPT = arraysOf(KEPT.columns);

/** The parameters of a statement for these columns, which are all preceded by the event's number. */
function arraysOf<Row>(columns: readonly Column<Row>[]): Arrays<OfEvent<Row>> {
  const arrays = columns.map(arrayOf);
  return (rows) => {
    const values = [bigints(rows, ({ eventNo }) => eventNo)];
    for (const array of arrays) values.push(array(rows));
    return values;
  };
}

function arrayOf<Row>(column: Column<Row>): (rows: readonly Row[]) => string {
  switch (column.type) {
    case 'integer':
    case 'id': {
      const of: (row: Row) => number | string | null = column.of;
      return (rows) => bigints(rows, of);
    }
    case 'word':
    case 'text': {
      const of: (row: Row) => string | null = column.of;
      return (rows) => texts(rows, of);
    }
    case 'tickets': {
      const of: (row: Row) => readonly Ticket[] | null = column.of;
      return (rows) =>
        lines(rows, (row) => {
          const tickets = of(row);
          return tickets === null ? '' : ticketsText(tickets);
        });
    }
    case 'json': {
      const of: (row: Row) => object | null = column.of;
      return (rows) =>
        lines(rows, (row) => {
          const value = of(row);
          return value === null ? '' : JSON.stringify(value);
        });
    }
    default:
      return unreachable(column);
  }
}

export function writeSteps(write: BatchWrite): Step[] {
  const steps: Step[] = [];
  const add: Add = (rows, statement, values) => {
    if (rows.length > 0) steps.push({ statement, values: values(rows) });
  };
  addEvents(write, add);
  addClaims(write, add);
  addRows(write, add);
  return [...mergeSales(steps), { statement: sql.COMMIT, values: [] }];
}

/** A whole batch: {@link writeSteps} behind heads that must stand where they are foreseen. */
export function foreseenSteps(foreseen: readonly ForeseenHead[], write: BatchWrite): Step[] {
  const [head] = foreseen;
  const lock =
    head && foreseen.length === 1
      ? { statement: sql.LOCK_ONE_FORESEEN, values: [`${head.eventNo}`, `${head.seq}`] }
      : {
          statement: sql.LOCK_FORESEEN,
          values: [bigints(foreseen, ({ eventNo }) => eventNo), bigints(foreseen, ({ seq }) => seq)],
        };
  return [{ statement: sql.BEGIN, values: [] }, lock, ...writeSteps(write)];
}

function mergeSales(steps: readonly Step[]): readonly Step[] {
  const sale = sql.SALE.map((part) => steps.find(({ statement }) => statement === part));
  if (sale.includes(undefined)) return steps;
  const values = sale.flatMap((step) => step!.values);
  return [{ statement: sql.WRITE_SALES, values }, ...steps.filter((step) => !sale.includes(step))];
}

type Add = <Row>(rows: readonly Row[], statement: Statement, values: Arrays<Row>) => void;

function addEvents({ newEvents, changedEvents, manifests, heads }: BatchWrite, add: Add): void {
  add(newEvents, sql.INSERT_EVENTS, NEW_EVENTS);
  add(changedEvents, sql.CHANGE_EVENTS, CHANGED_EVENTS);
  add(manifests, sql.KEEP_MANIFESTS, () => [
    texts(manifests, ({ manifestId }) => manifestId),
    texts(manifests, ({ content }) => content),
  ]);
  const isNew = new Set(newEvents.map(({ eventNo }) => eventNo));
  const made = heads.filter(({ eventNo }) => isNew.has(eventNo));
  const moved = heads.filter(({ eventNo }) => !isNew.has(eventNo));
  add(made, sql.INSERT_HEADS, headColumns);
  const [head] = moved;
  if (head && moved.length === 1) {
    const { eventNo, seq, held, sold, atMs, version, aside } = head;
    add(moved, sql.MOVE_HEAD, () => [eventNo, seq, held, sold, atMs, version, aside].map(String));
  } else {
    add(moved, sql.MOVE_HEADS, headColumns);
  }
}

function headColumns(heads: BatchWrite['heads']): string[] {
  return [
    bigints(heads, ({ eventNo }) => eventNo),
    bigints(heads, ({ seq }) => seq),
    bigints(heads, ({ held }) => held),
    bigints(heads, ({ sold }) => sold),
    bigints(heads, ({ atMs }) => atMs),
    bigints(heads, ({ version }) => version),
    bigints(heads, ({ aside }) => aside),
  ];
}

function addClaims({ newClaims, movedClaims, endedClaims }: BatchWrite, add: Add): void {
  // A ticket that a batch gives back and claims again is one move, so the order of the three does not matter.
  add(newClaims, sql.INSERT_CLAIMS, NEW_CLAIMS);
  add(movedClaims, sql.MOVE_CLAIMS, () => [
    bigints(movedClaims, ({ eventNo }) => eventNo),
    bigints(movedClaims, ({ ticket }) => ticket),
    bigints(movedClaims, ({ was }) => was),
    bigints(movedClaims, (claim) => claimNumber(claim.as)),
    bigints(movedClaims, ({ by }) => by),
    `${movedClaims.length}`,
  ]);
  add(endedClaims, sql.END_CLAIMS, () => [
    bigints(endedClaims, ({ eventNo }) => eventNo),
    bigints(endedClaims, ({ ticket }) => ticket),
    bigints(endedClaims, ({ was }) => was),
    `${endedClaims.length}`,
  ]);
}

function addRows(
  { newHolds, changedHolds, orders, changedOrders, journal, kept }: BatchWrite,
  add: Add,
): void {
  add(newHolds, sql.INSERT_HOLDS, NEW_HOLDS);
  add(changedHolds, sql.CHANGE_HOLDS, CHANGED_HOLDS);
  add(orders, sql.INSERT_ORDERS, NEW_ORDERS);
  add(changedOrders, sql.CHANGE_ORDERS, CHANGED_ORDERS);
  add(journal, sql.INSERT_JOURNAL, NEW_ENTRIES);
  add(kept, sql.INSERT_KEPT, NEW_KEPT);
}
