import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  FACT_KINDS,
  type Fact,
  type FactKind,
  isFactKind,
  ORDER_KINDS,
  orderListedBy,
  subjectOf,
  ticketMoves,
} from './facts.ts';
import type { AllocationId, HoldId, OrderId, Ticket } from './ids.ts';

const ticketsOf = (...numbers: number[]) => numbers as Ticket[];
const tickets = ticketsOf(3, 4);
const [orderId, holdId] = ['7' as OrderId, '8' as HoldId];
const buyer = 'ann';
const by = 'key-1';

/** One fact of every kind: what it moves, and what it is about. */
const FACTS: {
  readonly [Kind in FactKind]: readonly [
    fact: Extract<Fact, { kind: Kind }>['fact'],
    moves: readonly string[],
    subject: OrderId | HoldId | undefined,
    listed: OrderId | undefined,
  ];
} = {
  'event-created': [{ capacity: 9 }, [], undefined, undefined],
  'event-changed': [
    {
      ...{ by, action: 'change', before: {}, after: {}, capacity: 9, previous: 1 },
      ...{ setAside: ticketsOf(1), restored: ticketsOf(2), allocationId: '9' as AllocationId },
    },
    ['1 free → aside', '2 aside → free'],
    undefined,
    undefined,
  ],
  bought: [{ orderId, tickets, buyer }, ['3,4 free → sold'], orderId, orderId],
  held: [{ holdId, tickets, buyer, expiresAtMs: 5 }, ['3,4 free → held'], holdId, undefined],
  extended: [{ holdId, expiresAtMs: 6 }, [], holdId, undefined],
  confirmed: [{ holdId, orderId, tickets, buyer }, ['3,4 held → sold'], orderId, orderId],
  released: [{ holdId, tickets, buyer }, ['3,4 held → free'], holdId, undefined],
  expired: [{ holdId, tickets, buyer: null }, ['3,4 held → free'], holdId, undefined],
  returned: [{ orderId, tickets, buyer, refundedAmount: 500, by }, ['3,4 sold → free'], orderId, undefined],
  'key-made': [
    { keyId: '1', name: 'door', role: 'admin', expiresAtMs: null, hash: 'h', by },
    [],
    undefined,
    undefined,
  ],
  'key-revoked': [{ keyId: '1', name: 'door', by }, [], undefined, undefined],
  'manifest-kept': [{ manifestId: 'm', by, bytes: 4 }, [], undefined, undefined],
};

describe('facts', () => {
  test('[S2] of every kind it is known which tickets it moves, from where to where', () => {
    for (const kind of FACT_KINDS) {
      const [fact, moves] = FACTS[kind];
      const found = ticketMoves({ kind, fact } as Fact);
      assert.deepEqual(
        found.map(({ tickets, from, to }) => `${tickets} ${from} → ${to}`),
        moves,
        kind,
      );
    }
  });

  test('[S11] of every kind it is known which order or hold it is about, and which orders it lists', () => {
    for (const kind of FACT_KINDS) {
      const [fact, , subject, listed] = FACTS[kind];
      const said = { kind, fact } as Fact;
      assert.deepEqual([subjectOf(said), orderListedBy(said)], [subject, listed], kind);
      assert.equal(ORDER_KINDS.includes(kind), listed !== undefined, kind);
    }
  });

  test('[S11] a kind is known or it is not', () => {
    for (const kind of FACT_KINDS) assert.ok(isFactKind(kind));
    for (const kind of ['refunded', 'toString', '__proto__', '']) assert.ok(!isFactKind(kind), kind);
  });

  test('[S11] what moves no fact that is known cannot be folded', () => {
    assert.throws(() => ticketMoves({ kind: 'refunded', fact: {} } as never), /broken invariant/);
  });
});
