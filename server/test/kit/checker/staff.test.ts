// What the checker says of changes by staff, extended holds and limits: a history made by hand with a fact of every
// kind passes; then one thing of it is changed, and the checker must say what it was.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckOptions, check } from './check.ts';
import type { Fact, FinalEvent } from './final-ledger.ts';
import { formatViolations, type Rule } from './findings.ts';
import { keyOfGuest } from './guest-key.ts';
import { type Completion, HistoryLog, type HistoryRecord, type Request } from './history.ts';

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };

const OPTIONS: CheckOptions = {
  holdTtlMs: 1_000,
  holdMaxMs: 3_000,
  limits: { ticketsPerBuyer: 3, holdsPerBuyer: 2 },
};

/** Five tickets become seven, of which 4 and 6 are out of sale in the end. */
const EVENT: FinalEvent = {
  eventId: 'e',
  types: [
    { ticketType: 'ga', capacity: 5, counts: { available: 1, held: 0, sold: 3, aside: 1 } },
    { ticketType: 'vip', capacity: 2, counts: { available: 0, held: 1, sold: 0, aside: 1 } },
  ],
  blocks: [
    { ticketType: 'ga', count: 4 },
    { ticketType: 'vip', count: 1 },
    { ticketType: 'ga', count: 1 },
    { ticketType: 'vip', count: 1 },
  ],
  journal: [
    { seq: 1, kind: 'event-created', atMs: 0, capacity: 5 },
    { seq: 2, kind: 'event-changed', atMs: 1, capacity: 5, setAside: [3, 4], allocationId: 'x', previous: 1 },
    { seq: 3, kind: 'held', atMs: 5, holdId: 'h', tickets: [0, 1], buyer: 'ann', expiresAtMs: 1_005 },
    { seq: 4, kind: 'extended', atMs: 1_000, holdId: 'h', expiresAtMs: 2_000 },
    { seq: 5, kind: 'event-changed', atMs: 1_200, capacity: 5, previous: 2, after: { status: 'paused' } },
    { seq: 6, kind: 'confirmed', atMs: 1_500, holdId: 'h', orderId: 'a', tickets: [0, 1], buyer: 'ann' },
    { seq: 7, kind: 'event-changed', atMs: 1_600, capacity: 7, restored: [3, 4], setAside: [6], allocationId: 'y', previous: 5, after: { status: 'open' } }, // biome-ignore format: a table
    { seq: 8, kind: 'bought', atMs: 1_700, orderId: 'b', tickets: [5], buyer: 'ann' },
    {
      seq: 9,
      kind: 'event-changed',
      atMs: 1_750,
      capacity: 7,
      setAside: [3],
      allocationId: 'z',
      previous: 7,
    },
    { seq: 10, kind: 'held', atMs: 1_800, holdId: 'i', tickets: [4], buyer: 'bob', expiresAtMs: 2_800 },
    { seq: 11, kind: 'held', atMs: 1_810, holdId: 'j', tickets: [2], buyer: 'bob', expiresAtMs: 2_810 },
    { seq: 12, kind: 'released', atMs: 1_820, holdId: 'j', tickets: [2], buyer: 'bob' },
  ],
  orders: [
    { orderId: 'a', seq: 6, tickets: [0, 1] },
    { orderId: 'b', seq: 8, tickets: [5] },
  ],
  claims: [
    { ticket: 0, as: 'sold', by: 'a' },
    { ticket: 1, as: 'sold', by: 'a' },
    { ticket: 5, as: 'sold', by: 'b' },
    { ticket: 3, as: 'aside', by: 'z' },
    { ticket: 6, as: 'aside', by: 'y' },
    { ticket: 4, as: 'held', by: 'i' },
  ],
};

function historyOf(): HistoryRecord[] {
  let nowMs = 0;
  const log = new HistoryLog(() => nowMs);
  const ask = (
    kind: Request['kind'],
    opId: string,
    fact: Fact,
    said: object,
    holdId: string | null = null,
  ) => {
    nowMs = fact.atMs - 1;
    const quantity = holdId === null ? (fact.tickets?.length ?? 0) : 0;
    const call = log.invoke(0, { kind, eventId: 'e', opId, keyed: false, quantity, holdId, body: opId });
    nowMs = fact.atMs + 1;
    const expiresAt = fact.expiresAtMs === undefined ? {} : { expiresAt: new Date(fact.expiresAtMs) };
    log.answer(call, 200, JSON.stringify({ ...said, ...expiresAt, ledgerSeq: fact.seq }));
  };
  const fact = (seq: number) => EVENT.journal[seq - 1]!;
  ask('hold', 'ann', fact(3), { holdId: 'h' });
  ask('extend', 'x-1', fact(4), { holdId: 'h' }, 'h');
  ask('confirm', 'c-1', fact(6), { holdId: 'h', orderId: 'a' }, 'h');
  ask('buy', 'b-1', fact(8), { orderId: 'b' });
  ask('hold', 'b-2', fact(10), { holdId: 'i' });
  ask('hold', 'b-3', fact(11), { holdId: 'j' });
  ask('release', 'r-1', fact(12), { holdId: 'j' }, 'j');
  return log.records;
}

interface Run {
  history: Mutable<HistoryRecord>[];
  event: Mutable<FinalEvent>;
  options: CheckOptions;
}

/** Keys name the operations, for buyers have several. */
function clean(): Run {
  const event: Mutable<FinalEvent> = JSON.parse(JSON.stringify(EVENT));
  const keys: Record<number, string> = { 8: keyOfGuest('b-1'), 10: keyOfGuest('b-2'), 11: keyOfGuest('b-3') };
  for (const fact of event.journal) if (keys[fact.seq]) fact.key = keys[fact.seq];
  return { history: JSON.parse(JSON.stringify(historyOf())), event, options: { ...OPTIONS } };
}

const fact = (run: Run, seq: number): Mutable<Fact> => run.event.journal[seq - 1]!;

const TAMPERINGS: Record<string, readonly [rule: Rule, says: RegExp, tamper: (run: Run) => void]> = {
  'a sale of a ticket that is set aside': [
    'uniqueness',
    /ticket 3 is claimed while it is aside/,
    (run) => Object.assign(fact(run, 10), { tickets: [3] }),
  ],
  'a ticket that is set aside while it is sold': [
    'uniqueness',
    /ticket 5 is claimed while it is sold/,
    (run) => fact(run, 9).setAside!.push(5),
  ],
  'a ticket put on sale that was not out of it': [
    'uniqueness',
    /ticket 2 is put on sale while it is free/,
    (run) => fact(run, 7).restored!.push(2),
  ],
  'a sold ticket put on sale again': [
    'uniqueness',
    /ticket 0 is put on sale while it is sold/,
    (run) => fact(run, 7).restored!.push(0),
  ],
  'a sale of a ticket before there is one': [
    'bound',
    /ticket 5 does not exist/,
    (run) => Object.assign(fact(run, 3), { tickets: [0, 5] }),
  ],
  'a ticket beyond the last': [
    'bound',
    /ticket 7 does not exist/,
    (run) => Object.assign(fact(run, 8), { tickets: [7] }),
  ],
  'an event that shrinks': [
    'bound',
    /7 tickets became 6/,
    (run) => Object.assign(fact(run, 9), { capacity: 6 }),
  ],
  'more set aside of a type than it has': [
    'bound',
    /3 of 2 tickets of type vip are claimed/,
    (run) => fact(run, 9).setAside!.push(6, 6),
  ],
  'a hidden claim by staff': [
    'conservation',
    /ticket 6 is aside by y; the journal says free/,
    (run) => Object.assign(fact(run, 7), { setAside: [] }),
  ],
  'a ticket set aside for somebody else': [
    'conservation',
    /ticket 3 is aside by z; the journal says aside by q/,
    (run) => Object.assign(fact(run, 9), { allocationId: 'q' }),
  ],
  'counts that forget what is set aside': [
    'conservation',
    /2 tickets of ga are shown as available; by the journal it is 1/,
    (run) => Object.assign(run.event.types[0]!.counts, { available: 2, aside: 0 }),
  ],
  'an extension that nobody asked for': [
    'resolve',
    /extended, but nobody asked for it/,
    (run) => (run.history = run.history.filter((record) => record.call !== 1)),
  ],
  'an extension that was refused': [
    'resolve',
    /extended, but all who asked for it were refused/,
    (run) => Object.assign(answerOf(run, 1), { type: 'fail', status: 409, body: '{"error":"HOLD_AT_CAP"}' }),
  ],
  'an extension told with another deadline': [
    'durability',
    /its grant was answered, and lost: seq 4 expires at 2000/,
    (run) => {
      const answer = answerOf(run, 1);
      answer.body = answer.body.replace(new Date(2_000).toISOString(), new Date(2_500).toISOString());
    },
  ],
  'an extension after the deadline': [
    'hold-time',
    /extended 5 ms after its deadline/,
    (run) => Object.assign(fact(run, 4), { atMs: 1_010 }),
  ],
  'an extension that takes time': [
    'hold-time',
    /an extension took 4 ms/,
    (run) => Object.assign(fact(run, 4), { expiresAtMs: 1_001 }),
  ],
  'an extension beyond the cap': [
    'hold-time',
    /a hold that may live 3000 ms was given 3001 ms/,
    (run) => Object.assign(fact(run, 4), { expiresAtMs: 3_006 }),
  ],
  'an extension of a hold that ended': [
    'hold-time',
    /hold j is extended after its end/,
    (run) =>
      run.event.journal.push({ seq: 13, kind: 'extended', atMs: 1_830, holdId: 'j', expiresAtMs: 2_900 }),
  ],
  'an extension of a hold that never was': [
    'hold-time',
    /extended hold k, which was never made/,
    (run) => Object.assign(fact(run, 4), { holdId: 'k' }),
  ],
  'a confirm after the deadline that no extension moved': [
    'hold-time',
    /confirmed 495 ms after its deadline/,
    (run) => Object.assign(fact(run, 4), { kind: 'key-made' }),
  ],
  'a sale while the event was paused': [
    'order',
    /bought while the event was paused/,
    (run) => Object.assign(fact(run, 7), { after: {} }),
  ],
  'a change that overwrote another': [
    'order',
    /a change was made from version 5, where it was 7/,
    (run) => Object.assign(fact(run, 9), { previous: 5 }),
  ],
  'a ticket more than a buyer may have': [
    'bound',
    /ann has 3 tickets, 2 are allowed/,
    (run) => Object.assign(run.options, { limits: { ticketsPerBuyer: 2 } }),
  ],
  'a hold more than a buyer may have': [
    'bound',
    /bob has 2 holds, 1 are allowed/,
    (run) => Object.assign(run.options, { limits: { holdsPerBuyer: 1 } }),
  ],
};

const answerOf = (run: Run, call: number) =>
  run.history.find((record) => record.call === call && record.type !== 'invoke') as Mutable<Completion>;

const judge = ({ history, event, options }: Run) => check(history as HistoryRecord[], [event], options);

describe('the checker and what staff and limits do', () => {
  test('[S2] a history with a fact of every kind is clean', () => {
    const violations = judge(clean());
    assert.equal(violations.length, 0, formatViolations(violations));
  });

  for (const [name, [rule, says, tamper]] of Object.entries(TAMPERINGS)) {
    test(`${rule} catches ${name}`, () => {
      const run = clean();
      tamper(run);
      const violations = judge(run);
      const caught = violations.some((violation) => violation.rule === rule && says.test(violation.what));
      assert.ok(caught, `not caught; instead ${formatViolations(violations)}`);
    });
  }
});

/** Two tickets, both set aside until 100 ms; then one is restored, and one more made. Somebody is refused at `atMs`. */
function refusedAt(atMs: number, error: string, staleMs: number): string[] {
  let nowMs = 0;
  const log = new HistoryLog(() => nowMs);
  const ask = (at: number, quantity: number, status: number, said: object) => {
    nowMs = at;
    const opId = `op-${at}`;
    const request = {
      kind: 'buy',
      eventId: 'e',
      opId,
      keyed: true,
      quantity,
      holdId: null,
      body: '',
    } as const;
    const call = log.invoke(0, request);
    nowMs = at + 2;
    log.answer(call, status, JSON.stringify(said));
  };
  const journal: Fact[] = [
    { seq: 1, kind: 'event-created', atMs: 0, capacity: 3 },
    { seq: 2, kind: 'event-changed', atMs: 1, capacity: 3, setAside: [1, 2], allocationId: 'x', previous: 1 },
    { seq: 3, kind: 'bought', atMs: 11, orderId: 'a', tickets: [0], key: keyOfGuest('op-10') },
    { seq: 4, kind: 'event-changed', atMs: 100, capacity: 4, restored: [1], previous: 2 },
    { seq: 5, kind: 'bought', atMs: 121, orderId: 'b', tickets: [1], key: keyOfGuest('op-120') },
  ];
  const bought = (orderId: string, ledgerSeq: number) => ({ orderId, ledgerSeq });
  ask(10, 1, 201, bought('a', 3));
  if (atMs < 120) ask(atMs, 1, 409, { error });
  ask(120, 1, 201, bought('b', 5));
  if (atMs > 120) ask(atMs, 1, 409, { error });
  const counts = { available: 1, held: 0, sold: 2, aside: 1 };
  const orders = [
    { orderId: 'a', seq: 3, tickets: [0] },
    { orderId: 'b', seq: 5, tickets: [1] },
  ];
  const types = [{ ticketType: 'ga', capacity: 4, counts }];
  return check(log.records, [{ eventId: 'e', types, journal, orders }], { staleMs }).map(({ what }) => what);
}

describe('refusals for want of tickets that staff have', () => {
  test('what staff set aside is as gone as what is sold', () => {
    assert.deepEqual(refusedAt(50, 'SOLD_OUT', 0), []);
    assert.deepEqual(refusedAt(50, 'ALL_HELD', 0), []);
  });

  test('what they put on sale, or made, may be unknown elsewhere for a moment', () => {
    assert.deepEqual(refusedAt(130, 'SOLD_OUT', 200), []);
    const complaint = [`SOLD_OUT for 1, while at least 1 were left`];
    assert.deepEqual(refusedAt(130, 'SOLD_OUT', 0), complaint);
    assert.deepEqual(refusedAt(5_000, 'SOLD_OUT', 200), complaint);
  });
});
