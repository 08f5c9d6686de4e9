// The takes of a turn as one call, and their answer. Equal takes in a row travel as one ("30*0:1"), and so do
// consecutive tickets in the answer ("100-129"): a batch of one on-sale is a few dozen bytes either way.

import { invariant } from '@floodgate/core/assert.ts';
import { RunReader } from '@floodgate/core/seating/ticket-runs.ts';
import type { TakeRefusal, TakeResult } from '../inventory.ts';
import type { WantText } from './want-text.ts';

export interface PendingTake {
  readonly wants: WantText;
  readonly resolve: (result: TakeResult) => void;
  readonly reject: (fault: Error) => void;
}

const MAX_TAKES = 500;
/** Of any tickets, in one call: a millisecond of Redis. */
const MAX_TICKETS = 1_000;
/** Finding the best seats for a party costs as much as this many arbitrary tickets, or four times that where few are left. */
const SEATS_COST = 6;

/** In order, as many as one call should do. A single take of more is a batch of its own. */
export function slices(takes: PendingTake[]): PendingTake[][] {
  const all: PendingTake[][] = [];
  let from = 0;
  let cost = 0;
  for (let at = 0; at < takes.length; at++) {
    const { quantity, isAny } = takes[at]!.wants;
    const more = isAny ? quantity : quantity + SEATS_COST;
    if (at > from && (at - from === MAX_TAKES || cost + more > MAX_TICKETS)) {
      all.push(takes.slice(from, at));
      from = at;
      cost = 0;
    }
    cost += more;
  }
  if (takes.length > 0) all.push(from === 0 ? takes : takes.slice(from));
  return all;
}

/** "count*wants;count*wants;…" */
export function encodeTakes(takes: readonly PendingTake[]): string {
  let text = '';
  let at = 0;
  while (at < takes.length) {
    const from = at;
    at = endOfEqual(takes, from);
    text += `${at - from}*${takes[from]!.wants.text};`;
  }
  return text;
}

function endOfEqual(takes: readonly PendingTake[], from: number): number {
  const { text } = takes[from]!.wants;
  let at = from + 1;
  while (at < takes.length && takes[at]!.wants.text === text) at++;
  return at;
}

const REFUSALS: Readonly<Record<string, TakeRefusal>> = {
  S: 'SOLD_OUT',
  H: 'ALL_HELD',
  P: 'PENDING',
  N: 'NO_SEATS_TOGETHER',
  T: 'SEAT_TAKEN',
};
/** Of equal takes in a row: how many were granted, why the others were not, and how many tickets are taken. */
const OUTCOME = /^(\d+)([A-Z]?)(\d*)$/;

/** Answers each take from "outcomes|tickets" as take.lua and take-seats.lua return them; says which ticket is the highest. */
export function answerTakes(takes: readonly PendingTake[], answer: string): number {
  const bar = answer.indexOf('|');
  const tickets = new RunReader(answer, bar + 1);
  let at = 0;
  for (const outcome of answer.slice(0, bar).split(',')) {
    const [, granted, letter, taken] = OUTCOME.exec(outcome) ?? [];
    invariant(granted !== undefined, 'Redis said how many takes were granted');
    const from = at;
    at = endOfEqual(takes, from);
    const grantedEnd = from + Number(granted);
    for (const take of takes.slice(from, grantedEnd)) {
      take.resolve({ tickets: tickets.next(take.wants.quantity) });
    }
    if (grantedEnd === at) continue;
    const refusal = REFUSALS[letter!]!;
    const result = taken === '' ? { refusal } : { refusal, taken: tickets.next(Number(taken)) };
    for (const take of takes.slice(grantedEnd, at)) take.resolve(result);
  }
  invariant(at === takes.length, 'Redis answered every take');
  return tickets.highest;
}
