// The history's own rules, and the checker's speed on a long one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertLinear } from '@floodgate/core/testing/cpu.ts';
import { check } from './check.ts';
import type { Fact, FinalLedger } from './final-ledger.ts';
import { keyOfGuest } from './guest-key.ts';
import { callsOf, HistoryLog, type HistoryRecord, parseHistory } from './history.ts';

describe('the history', () => {
  test('survives a trip through its text', async () => {
    const log = new HistoryLog(() => 1.5);
    const call = log.invoke(3, {
      kind: 'buy',
      eventId: '1',
      opId: 'a',
      keyed: true,
      quantity: 2,
      holdId: null,
      body: '{}',
    });
    log.answer(call, 201, '{"ledgerSeq":4,"tickets":[{"ticketId":"7"},{"ticketId":8}]}');
    log.invoke(3, {
      kind: 'release',
      eventId: '1',
      opId: 'b',
      keyed: false,
      quantity: 0,
      holdId: '5',
      body: '',
    });
    const records = parseHistory(log.toNdjson());
    assert.deepEqual(records, log.records);
    const [bought, released] = callsOf(records);
    assert.deepEqual(
      [bought!.outcome, bought!.said.ledgerSeq, bought!.said.tickets],
      ['ok', 4, [7, Number.NaN]],
    );
    assert.deepEqual([released!.outcome, released!.endedAtMs], ['info', Number.POSITIVE_INFINITY]);
  });

  test('is refused when a call was completed twice or never invoked', () => {
    const answer: HistoryRecord = { type: 'ok', call: 0, atMs: 1, status: 200, body: '' };
    assert.throws(() => callsOf([answer]), /completed before it was invoked/);
    const invoke: HistoryRecord = {
      ...{ type: 'invoke', call: 0, client: 0, atMs: 0, kind: 'buy', eventId: '1' },
      ...{ opId: 'a', keyed: false, quantity: 1, holdId: null, body: '' },
    };
    assert.throws(() => callsOf([invoke, answer, answer]), /has two/);
  });

  test('the cost to check 40,000 requests grows no faster than their number', async () => {
    await assertLinear((size) => {
      const { records, ledger } = soldToEverybody(size * 2_500);
      return () => assert.deepEqual(check(records, ledger), []);
    });
  });
});

/** That many purchases, fifty at a time, all of them granted. */
function soldToEverybody(count: number): { records: HistoryRecord[]; ledger: FinalLedger } {
  const records: HistoryRecord[] = [];
  const journal: Fact[] = [{ seq: 1, kind: 'event-created', atMs: 0 }];
  for (let call = 0; call < count; call++) {
    const opId = `op-${call}`;
    const seq = call + 2;
    const request = {
      kind: 'buy',
      eventId: '1',
      opId,
      keyed: true,
      quantity: 1,
      holdId: null,
      body: '{}',
    } as const;
    records.push({ type: 'invoke', call, client: call % 100, atMs: call, ...request });
    const body = JSON.stringify({ orderId: `${seq}`, ledgerSeq: seq, tickets: [{ ticketId: `${call}` }] });
    records.push({ type: 'ok', call, atMs: call + 50, status: 201, body });
    journal.push({
      seq,
      kind: 'bought',
      atMs: call,
      orderId: `${seq}`,
      tickets: [call],
      key: keyOfGuest(opId),
    });
  }
  const orders = journal
    .slice(1)
    .map(({ seq, orderId, tickets }) => ({ seq, orderId: orderId!, tickets: tickets! }));
  const types = [{ ticketType: 'ga', capacity: count, counts: { available: 0, held: 0, sold: count } }];
  return { records, ledger: [{ eventId: '1', types, journal, orders }] };
}
