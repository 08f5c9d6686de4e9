// A crowd that shops while staff change the event, at any of the shop's processes, and what must be true of the journal
// afterwards. The journal is all that is believed: what was answered is compared with it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { z } from 'zod';
import {
  auditAnswer,
  availabilityAnswer,
  journalAnswer,
  staffEventAnswer,
} from '../../src/contract/events.ts';
import { heldAnswer } from '../../src/contract/holds.ts';
import { allocationAnswer } from '../../src/contract/organizing.ts';
import { contentOf, readProblem } from './answers.ts';
import type { Asking, Reply } from './test-shop.ts';

/** One process of the shop. */
export type Door = (method: string, path: string, asking?: Asking) => Promise<Reply>;
export type Entries = z.infer<typeof journalAnswer>['entries'];

const staff = { asStaff: true } as const;
const EVENT = '/api/v1/events/hot';

/** What a crowd was answered. */
export interface Granted {
  /** Of each order, its tickets. */
  readonly orders: number[][];
}

export class Crowd {
  readonly #doors: readonly Door[];
  readonly #random: () => number;
  readonly #allocations: string[] = [];
  /** Answers to changes, by status. */
  readonly changes = new Map<number, number>();
  /** The tickets of each order that was answered. */
  readonly orders: number[][] = [];
  isOver = false;
  readonly #isPatient: boolean;

  /**
   * It shops at the event `hot`, for tickets of the type `ga`. A patient one asks again, anywhere, when a process does
   * not answer or has no time: so something may happen that nobody was told of.
   */
  constructor(doors: readonly Door[], random: () => number, isPatient = false) {
    this.#doors = doors;
    this.#random = random;
    this.#isPatient = isPatient;
  }

  /** Buys, holds, confirms and gives back without a rest until it is over. Faults of the shop are failures. */
  async shop(buyers: number): Promise<Granted> {
    const { orders } = this;
    const buyer = async (): Promise<void> => {
      while (!this.isOver) {
        const reply = await this.#shopOnce();
        assert.ok(reply.status < 500, reply.text);
        const { orderId, tickets } = reply.body as { orderId?: string; tickets?: { ticketId: string }[] };
        if (reply.status === 201 && orderId) orders.push(tickets!.map(({ ticketId }) => Number(ticketId)));
      }
    };
    await Promise.all(Array.from({ length: buyers }, buyer));
    return { orders };
  }

  /** Shops for a while, and on a slow machine for as long as it takes to prove something; then it is over. */
  async end(afterMs: number, enough: { readonly orders: number; readonly changes: number }): Promise<void> {
    await sleep(afterMs);
    const giveUpMs = performance.now() + patienceMs(5_000);
    const isEnough = () =>
      this.orders.length > enough.orders && (this.changes.get(200) ?? 0) > enough.changes;
    while (!isEnough() && performance.now() < giveUpMs) await sleep(50);
    this.isOver = true;
  }

  /** Pauses and resumes, each at any process. */
  async pauseAndResume(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      for (const command of ['pause', 'resume']) {
        await sleep(5 + this.#random() * 40);
        const reply = await this.#any()('POST', `${EVENT}/${command}`, staff);
        contentOf(reply, 200, staffEventAnswer);
      }
    }
  }

  /** Moves capacities, sets tickets aside and drops them, until it is over. */
  async change(): Promise<void> {
    while (!this.isOver) {
      const dice = this.#random();
      let reply: Reply;
      if (dice < 0.6) reply = await this.#resize();
      else if (dice < 0.8 || this.#allocations.length === 0) reply = await this.#allocate();
      else reply = await this.#release();
      // What was dropped without an answer is not there when it is dropped again.
      const expected = [200, 201, 409, 412, ...(this.#isPatient ? [404] : [])];
      assert.ok(expected.includes(reply.status), reply.text);
      this.changes.set(reply.status, (this.changes.get(reply.status) ?? 0) + 1);
      await sleep(this.#random() * 10);
    }
  }

  async #shopOnce(): Promise<Reply> {
    const quantity = 1 + Math.floor(this.#random() * 3);
    if (this.#random() < 0.5) return this.#any()('POST', '/buy/hot', { body: { quantity } });
    const body = { lines: [{ ticketType: 'ga', quantity }] };
    const held = await this.#any()('POST', `${EVENT}/holds`, { body });
    if (held.status !== 201) return held;
    const { holdId } = contentOf(held, 201, heldAnswer);
    if (this.#random() < 0.5) return this.#any()('DELETE', `/api/v1/holds/${holdId}`);
    const confirmed = await this.#any()('POST', `/api/v1/holds/${holdId}/confirm`);
    if (confirmed.status !== 201) await this.#any()('DELETE', `/api/v1/holds/${holdId}`);
    return confirmed;
  }

  async #resize(): Promise<Reply> {
    const door = this.#any();
    const event = await door('GET', EVENT, staff);
    const { ticketTypes } = contentOf(event, 200, staffEventAnswer);
    const capacity = Math.max(0, ticketTypes[0]!.capacity + Math.round((this.#random() - 0.4) * 300));
    const body = { ticketTypes: [{ ticketTypeId: 'ga', capacity }] };
    return door('PATCH', EVENT, { ...staff, body, headers: { 'if-match': event.headers.get('etag')! } });
  }

  async #allocate(): Promise<Reply> {
    const lines = [{ ticketType: 'ga', quantity: 1 + Math.floor(this.#random() * 40) }];
    const body = { name: 'Channel', kind: this.#random() < 0.5 ? 'kill' : 'channel', lines };
    const reply = await this.#any()('POST', `${EVENT}/allocations`, { ...staff, body });
    if (reply.status === 201) this.#allocations.push(contentOf(reply, 201, allocationAnswer).allocationId);
    return reply;
  }

  #release(): Promise<Reply> {
    const [id] = this.#allocations.splice(Math.floor(this.#random() * this.#allocations.length), 1);
    return this.#any()('POST', `${EVENT}/allocations/${id}/release`, staff);
  }

  #any(): Door {
    const door = this.#doors[Math.floor(this.#random() * this.#doors.length)]!;
    return this.#isPatient ? (...asked) => this.#patiently(...asked) : door;
  }

  async #patiently(...asked: Parameters<Door>): Promise<Reply> {
    for (const giveUpMs = performance.now() + patienceMs(2_000); ; ) {
      const door = this.#doors[Math.floor(this.#random() * this.#doors.length)]!;
      const reply = await door(...asked).catch((error: Error) => error);
      if (!(reply instanceof Error) && reply.status !== 503) return reply;
      const isInTime = performance.now() < giveUpMs;
      assert.ok(isInTime, `nobody answers: ${reply instanceof Error ? reply.message : reply.text}`);
      await sleep(50);
    }
  }
}

export async function journalOf(door: Door): Promise<Entries> {
  const all: Entries = [];
  for (;;) {
    const page = await door('GET', `${EVENT}/journal?limit=1000&after=${all.at(-1)?.seq ?? 0}`, staff);
    const { entries } = contentOf(page, 200, journalAnswer);
    all.push(...entries);
    if (entries.length < 1_000) return all;
  }
}

const SALES = new Set(['bought', 'held', 'confirmed']);

export const salesIn = (journal: Entries): Entries => journal.filter(({ kind }) => SALES.has(kind));

/** Tickets of all orders. */
export function soldIn(journal: Entries): number[] {
  return journal.flatMap(({ kind, tickets }) => (kind === 'bought' || kind === 'confirmed' ? tickets! : []));
}

/** Sales between a pause and what ended it, by the order of the ledger. */
export function salesWhilePaused(journal: Entries): Entries {
  let isPaused = false;
  return journal.filter(({ kind, action }) => {
    if (kind === 'event-changed') isPaused = action === 'pause';
    return isPaused && SALES.has(kind);
  });
}

/** By the facts alone: no ticket is claimed while it is claimed, none beyond the numbers of that moment. */
export function assertNeverOversold(journal: Entries): void {
  const claims = new Map<number, string>();
  let numbers = 0;
  for (const { seq, kind, capacity, tickets, setAside, restored } of journal) {
    if (capacity !== undefined) {
      assert.ok(capacity >= numbers, 'ticket numbers end');
      numbers = capacity;
    }
    const claim = (moved: readonly number[] = [], as: string, was: string | undefined): void => {
      for (const ticket of moved) {
        assert.ok(ticket < numbers, `[S2] ticket ${ticket} of ${numbers} at ${seq}`);
        assert.equal(claims.get(ticket), was, `[S1] ticket ${ticket} at ${seq} (${kind})`);
        if (as === '') claims.delete(ticket);
        else claims.set(ticket, as);
      }
    };
    if (kind === 'bought') claim(tickets, 'sold', undefined);
    else if (kind === 'held') claim(tickets, 'held', undefined);
    else if (kind === 'confirmed') claim(tickets, 'sold', 'held');
    else if (kind === 'released' || kind === 'expired') claim(tickets, '', 'held');
    else if (kind === 'event-changed') {
      claim(setAside, 'aside', undefined);
      claim(restored, '', 'aside');
    }
  }
}

/** The audit is content, and the counts that are shown add up to the capacity and to what was sold. */
export async function assertSound(door: Door, sold: number): Promise<void> {
  const report = contentOf(await door('GET', `${EVENT}/audit`, staff), 200, auditAnswer);
  assert.ok(report.ok, JSON.stringify(report));
  const { ticketTypes } = contentOf(await door('GET', EVENT, staff), 200, staffEventAnswer);
  const [type] = report.counts;
  assert.equal(type!.capacity, ticketTypes[0]!.capacity);
  assert.equal(type!.available + type!.held + type!.sold + type!.allocated + type!.killed, type!.capacity);
  assert.equal(type!.sold, sold);
}

/** Buys one after the other until there are no more; says how many there were: exactly those shown as available. */
export async function sellOut(door: Door): Promise<number> {
  const now = await door('GET', `${EVENT}/availability`);
  const { available, held } = contentOf(now, 200, availabilityAnswer);
  assert.equal(held, 0);
  let left = 0;
  for (; ; left++) {
    const reply = await door('POST', '/buy/hot');
    if (reply.status === 201) continue;
    readProblem(reply, 409, 'SOLD_OUT');
    break;
  }
  assert.equal(left, available);
  return left;
}
