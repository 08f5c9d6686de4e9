// What a batch writes, as the steps of one pipeline that ends with its COMMIT.

import { subjectOf } from '@floodgate/core/facts.ts';
import { bigints, lines, texts } from '../../../drivers/sql/postgres/arrays.ts';
import type { Statement, Step } from '../../../drivers/sql/postgres/pipeline.ts';
import { claimNumber } from '../shared/rows.ts';
import type { BatchWrite, ForeseenHead, HoldRow } from '../shared/sql-server.ts';
import * as sql from './statements.ts';

export function writeSteps(write: BatchWrite): Step[] {
  const steps: Step[] = [];
  const add = (rows: readonly unknown[], statement: Statement, values: () => Step['values']) => {
    if (rows.length > 0) steps.push({ statement, values: values() });
  };
  addEvents(write, add);
  addClaims(write, add);
  addHolds(write, add);
  addFacts(write, add);
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
          values: [bigints(foreseen.map(({ eventNo }) => eventNo)), bigints(foreseen.map(({ seq }) => seq))],
        };
  return [{ statement: sql.BEGIN, values: [] }, lock, ...writeSteps(write)];
}

function mergeSales(steps: readonly Step[]): readonly Step[] {
  const sale = sql.SALE.map((part) => steps.find(({ statement }) => statement === part));
  if (sale.includes(undefined)) return steps;
  const values = sale.flatMap((step) => step!.values);
  return [{ statement: sql.WRITE_SALES, values }, ...steps.filter((step) => !sale.includes(step))];
}

type Add = (rows: readonly unknown[], statement: Statement, values: () => Step['values']) => void;

function addEvents({ newEvents, changedEvents, manifests, heads }: BatchWrite, add: Add): void {
  add(newEvents, sql.INSERT_EVENTS, () => [
    bigints(newEvents.map(({ eventNo }) => eventNo)),
    texts(newEvents.map(({ event }) => event.eventId)),
    lines(newEvents.map(({ event }) => JSON.stringify(event))),
    bigints(newEvents.map(({ capacity }) => capacity)),
  ]);
  add(changedEvents, sql.CHANGE_EVENTS, () => [
    bigints(changedEvents.map(({ eventNo }) => eventNo)),
    lines(changedEvents.map(({ event }) => JSON.stringify(event))),
    bigints(changedEvents.map(({ capacity }) => capacity)),
  ]);
  add(manifests, sql.KEEP_MANIFESTS, () => [
    texts(manifests.map(({ manifestId }) => manifestId)),
    texts(manifests.map(({ content }) => content)),
  ]);
  const isNew = new Set(newEvents.map(({ eventNo }) => eventNo));
  const made = heads.filter(({ eventNo }) => isNew.has(eventNo));
  const moved = heads.filter(({ eventNo }) => !isNew.has(eventNo));
  add(made, sql.INSERT_HEADS, () => headColumns(made));
  const [head] = moved;
  if (head && moved.length === 1) {
    const { eventNo, seq, held, sold, atMs, version, aside } = head;
    add(moved, sql.MOVE_HEAD, () => [eventNo, seq, held, sold, atMs, version, aside].map(String));
  } else {
    add(moved, sql.MOVE_HEADS, () => headColumns(moved));
  }
}

function headColumns(heads: BatchWrite['heads']): string[] {
  return [
    bigints(heads.map(({ eventNo }) => eventNo)),
    bigints(heads.map(({ seq }) => seq)),
    bigints(heads.map(({ held }) => held)),
    bigints(heads.map(({ sold }) => sold)),
    bigints(heads.map(({ atMs }) => atMs)),
    bigints(heads.map(({ version }) => version)),
    bigints(heads.map(({ aside }) => aside)),
  ];
}

function addClaims({ newClaims, movedClaims, endedClaims }: BatchWrite, add: Add): void {
  // A ticket that a batch gives back and claims again is one move, so the order of the three does not matter.
  add(newClaims, sql.INSERT_CLAIMS, () => [
    bigints(newClaims.map(({ eventNo }) => eventNo)),
    bigints(newClaims.map(({ ticket }) => ticket)),
    bigints(newClaims.map((claim) => claimNumber(claim.as))),
    bigints(newClaims.map(({ by }) => by)),
  ]);
  add(movedClaims, sql.MOVE_CLAIMS, () => [
    bigints(movedClaims.map(({ eventNo }) => eventNo)),
    bigints(movedClaims.map(({ ticket }) => ticket)),
    bigints(movedClaims.map(({ was }) => was)),
    bigints(movedClaims.map((claim) => claimNumber(claim.as))),
    bigints(movedClaims.map(({ by }) => by)),
    `${movedClaims.length}`,
  ]);
  add(endedClaims, sql.END_CLAIMS, () => [
    bigints(endedClaims.map(({ eventNo }) => eventNo)),
    bigints(endedClaims.map(({ ticket }) => ticket)),
    bigints(endedClaims.map(({ was }) => was)),
    `${endedClaims.length}`,
  ]);
}

function addHolds({ newHolds, changedHolds }: BatchWrite, add: Add): void {
  add(newHolds, sql.INSERT_HOLDS, () => [
    bigints(newHolds.map(({ eventNo }) => eventNo)),
    bigints(newHolds.map(({ holdId }) => holdId)),
    bigints(newHolds.map(({ seq }) => seq)),
    texts(newHolds.map(({ status }) => status)),
    texts(newHolds.map(({ buyer }) => buyer)),
    lines(newHolds.map(({ tickets }) => JSON.stringify(tickets))),
    bigints(newHolds.map(({ createdAtMs }) => createdAtMs)),
    ...changeable(newHolds),
  ]);
  add(changedHolds, sql.CHANGE_HOLDS, () => [
    bigints(changedHolds.map(({ eventNo }) => eventNo)),
    bigints(changedHolds.map(({ holdId }) => holdId)),
    texts(changedHolds.map(({ status }) => status)),
    ...changeable(changedHolds),
  ]);
}

function changeable(holds: readonly HoldRow[]): string[] {
  return [
    bigints(holds.map(({ expiresAtMs }) => expiresAtMs)),
    bigints(holds.map(({ orderId }) => orderId)),
    bigints(holds.map(({ endedSeq }) => endedSeq)),
    bigints(holds.map(({ endedAtMs }) => endedAtMs)),
  ];
}

function addFacts({ orders, journal, kept }: BatchWrite, add: Add): void {
  add(orders, sql.INSERT_ORDERS, () => [
    bigints(orders.map(({ eventNo }) => eventNo)),
    bigints(orders.map(({ orderId }) => orderId)),
    bigints(orders.map(({ seq }) => seq)),
    texts(orders.map(({ status }) => status)),
    texts(orders.map(({ buyer }) => buyer)),
    texts(orders.map(({ secret }) => secret)),
    lines(orders.map(({ tickets }) => JSON.stringify(tickets))),
    bigints(orders.map(({ createdAtMs }) => createdAtMs)),
    bigints(orders.map(({ holdId }) => holdId)),
  ]);
  add(journal, sql.INSERT_JOURNAL, () => [
    bigints(journal.map(({ eventNo }) => eventNo)),
    bigints(journal.map(({ entry }) => entry.seq)),
    texts(journal.map(({ entry }) => entry.kind)),
    bigints(journal.map(({ entry }) => entry.atMs)),
    bigints(journal.map(({ entry }) => subjectOf(entry) ?? null)),
    lines(journal.map(({ entry }) => JSON.stringify(entry.fact))),
  ]);
  add(kept, sql.INSERT_KEPT, () => [
    bigints(kept.map(({ eventNo }) => eventNo)),
    texts(kept.map(({ scope }) => scope)),
    texts(kept.map(({ key }) => key)),
    texts(kept.map(({ hash }) => hash)),
    lines(kept.map(({ outcome }) => outcome)),
  ]);
}
