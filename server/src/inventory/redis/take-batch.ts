// The takes of a turn as one call, and their answer. Equal takes in a row travel as one ("30*0:1"), and so do
// consecutive tickets in the answer ("100-129"): a batch of one on-sale is a few dozen bytes either way.
import type { Ticket } from '@floodgate/core/ids.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { TakeRefusal, TakeResult } from '../inventory.ts';

export interface PendingTake {
  /** "type:quantity,type:quantity", types by their index. */
  readonly wants: string;
  /** Of all wants together. */
  readonly quantity: number;
  readonly resolve: (result: TakeResult) => void;
  readonly reject: (fault: Error) => void;
}

const MAX_TAKES = 500;
const MAX_TICKETS = 1_000;

/** In order, so many as one call should do. A single take of more is a batch of its own. */
export function slices(takes: PendingTake[]): PendingTake[][] {
  const all: PendingTake[][] = [];
  let from = 0;
  let tickets = 0;
  for (let at = 0; at < takes.length; at++) {
    const { quantity } = takes[at]!;
    if (at > from && (at - from === MAX_TAKES || tickets + quantity > MAX_TICKETS)) {
      all.push(takes.slice(from, at));
      from = at;
      tickets = 0;
    }
    tickets += quantity;
  }
  if (takes.length > 0) all.push(from === 0 ? takes : takes.slice(from));
  return all;
}

export function encodeTakes(takes: readonly PendingTake[]): string {
  let text = '';
  let at = 0;
  while (at < takes.length) {
    const { wants } = takes[at]!;
    const from = at;
    while (at < takes.length && takes[at]!.wants === wants) at++;
    text += `${at - from}*${wants};`;
  }
  return text;
}

const REFUSALS: Readonly<Record<string, TakeResult>> = {
  S: Object.freeze({ refusal: 'SOLD_OUT' as TakeRefusal }),
  H: Object.freeze({ refusal: 'ALL_HELD' as TakeRefusal }),
  P: Object.freeze({ refusal: 'PENDING' as TakeRefusal }),
};

/** Answers each take from "outcomes|tickets" as take.lua returns them. */
export function answerTakes(takes: readonly PendingTake[], answer: string): void {
  const bar = answer.indexOf('|');
  const outcomes = answer.slice(0, bar).split(',');
  const tickets = new TicketReader(answer, bar + 1);
  let at = 0;
  for (const outcome of outcomes) {
    const { wants } = takes[at]!;
    const granted = Number.parseInt(outcome, 10);
    const refusal = REFUSALS[outcome.at(-1)!];
    const from = at;
    while (at < takes.length && takes[at]!.wants === wants) {
      const take = takes[at]!;
      if (at - from < granted) take.resolve({ tickets: tickets.next(take.quantity) });
      else take.resolve(refusal!);
      at++;
    }
  }
  invariant(at === takes.length, 'Redis answered every take');
}

/** Reads tickets one after the other from "100-129,7". */
class TicketReader {
  readonly #text: string;
  #at: number;
  #next = 0;
  #last = -1;

  constructor(text: string, from: number) {
    this.#text = text;
    this.#at = from;
  }

  next(count: number): Ticket[] {
    const tickets: Ticket[] = [];
    for (let i = 0; i < count; i++) {
      if (this.#next > this.#last) this.#readRun();
      tickets.push(this.#next++ as Ticket);
    }
    return tickets;
  }

  #readRun(): void {
    const comma = this.#text.indexOf(',', this.#at);
    const end = comma < 0 ? this.#text.length : comma;
    const run = this.#text.slice(this.#at, end);
    invariant(run !== '', 'Redis named a ticket for everyone it granted some');
    const dash = run.indexOf('-');
    this.#next = Number(dash < 0 ? run : run.slice(0, dash));
    this.#last = dash < 0 ? this.#next : Number(run.slice(dash + 1));
    this.#at = end + 1;
  }
}
