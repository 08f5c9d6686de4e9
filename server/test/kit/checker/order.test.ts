// What "all held" may mean in a shop of several processes, and what it may not: by a history made by hand.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check } from './check.ts';
import type { FinalLedger } from './final-ledger.ts';
import { keyOfGuest } from './guest-key.ts';
import { HistoryLog, type Request } from './history.ts';

/** Ticket 0 was held and has expired; tickets 1 and 2 were sold at 1,500 and 2,010 ms. */
const LEDGER: FinalLedger = [
  {
    eventId: 'e',
    types: [{ ticketType: 'ga', capacity: 3, counts: { available: 1, held: 0, sold: 2 } }],
    journal: [
      { seq: 1, kind: 'event-created', atMs: 0 },
      {
        seq: 2,
        kind: 'held',
        atMs: 5,
        holdId: 'h',
        tickets: [0],
        key: keyOfGuest('op-1'),
        expiresAtMs: 1_005,
      },
      { seq: 3, kind: 'expired', atMs: 1_010, holdId: 'h' },
      { seq: 4, kind: 'bought', atMs: 1_495, orderId: 'a', tickets: [1], key: keyOfGuest('op-2') },
      { seq: 5, kind: 'bought', atMs: 2_005, orderId: 'b', tickets: [2], key: keyOfGuest('op-3') },
    ],
    orders: [
      { orderId: 'a', seq: 4, tickets: [1] },
      { orderId: 'b', seq: 5, tickets: [2] },
    ],
  },
];

/** The history of that ledger, and a buyer of one more who is refused at 2,020 ms. */
function refusedWith(error: string): HistoryLog {
  let nowMs = 0;
  const log = new HistoryLog(() => nowMs);
  const ask = (atMs: number, kind: Request['kind'], opId: string, status: number, said: object) => {
    nowMs = atMs;
    const request = { kind, eventId: 'e', opId, keyed: true, quantity: 1, holdId: null, body: opId };
    const call = log.invoke(0, request);
    nowMs = atMs + 10;
    log.answer(call, status, JSON.stringify(said));
  };
  const held = { holdId: 'h', ledgerSeq: 2, tickets: [{ ticketId: '0' }], expiresAt: new Date(1_005) };
  ask(0, 'hold', 'op-1', 201, held);
  ask(1_490, 'buy', 'op-2', 201, { orderId: 'a', ledgerSeq: 4, tickets: [{ ticketId: '1' }] });
  ask(2_000, 'buy', 'op-3', 201, { orderId: 'b', ledgerSeq: 5, tickets: [{ ticketId: '2' }] });
  ask(2_020, 'buy', 'op-4', 409, { error });
  return log;
}

const wrong = (error: string, staleMs: number) =>
  check(refusedWith(error).records, LEDGER, { staleMs }).map(({ what }) => what);

describe('refusals for want of tickets', () => {
  test('a ticket that came back a moment ago may count as held, though later sales are known', () => {
    assert.deepEqual(wrong('ALL_HELD', 2_500), []);
  });

  test('not for longer than the moment, and never without one', () => {
    const complaint = ['ALL_HELD for 1, while at least 1 were left'];
    assert.deepEqual(wrong('ALL_HELD', 100), complaint);
    assert.deepEqual(wrong('ALL_HELD', 0), complaint);
  });

  test('and never as sold', () => {
    assert.deepEqual(wrong('SOLD_OUT', 2_500), ['SOLD_OUT for 1, while at least 1 were left']);
  });
});
