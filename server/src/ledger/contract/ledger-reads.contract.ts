// The part of the ledger contract that is about what can be read: the journal, the records, after a restart too.
import assert from 'node:assert/strict';
import type { FactKind } from '@floodgate/core/facts.ts';
import type { EventId, HoldId, OrderId } from '@floodgate/core/ids.ts';
import { type Buy, type Committed, type Hold, keyDigest, type Ledger } from '../ledger.ts';
import { EventEntries, freshId, LONG_MS, openShop, ticketsOf, underKey } from './test-entries.ts';
import { assertGranted, CAPACITY, plain, type Rule, type Script, TICKET_PRICE } from './test-script.ts';

export function journaling(rule: Rule): void {
  rule('[S11] every fact has its journal entry, with all that belongs to it', async (script) => {
    const { entries, ledger } = script;
    const [ann, bob] = ['ann@example.org', 'bob@example.org'];
    const bought = await script.grant(entries.buy([0, 1], underKey('a')));
    const kept = await script.grant(entries.hold([2], underKey('b')));
    const given = await script.grant(entries.hold([3], { buyer: null }));
    const lapsed = await script.grant(entries.hold([4], { ttlMs: 0 }));
    const confirmed = await script.grant(entries.confirm(kept.holdId!, underKey('c')));
    const released = await script.grant(entries.release(given.holdId!));
    const expired = await script.grant(entries.expire(lapsed.holdId!));
    await script.refuse(entries.buy([0]), 'TICKET_TAKEN');

    const { orderId } = bought;
    const [b, c] = [kept, confirmed].map(({ holdId }) => ({ holdId, tickets: [2], buyer: bob }));
    const [g, l] = [given, lapsed];
    const cost = (tickets: number) => {
      return { lines: [['ga', tickets, TICKET_PRICE]], total: tickets * TICKET_PRICE, currency: 'EUR' };
    };
    assert.deepEqual((await ledger.journal(entries.eventId, 1, 100)).map(plain), [
      fact(bought, 'bought', { orderId, tickets: [0, 1], buyer: ann, key: keyDigest('', 'a'), ...cost(2) }),
      fact(kept, 'held', { ...b, expiresAtMs: kept.expiresAtMs, key: keyDigest('', 'b'), ...cost(1) }),
      fact(given, 'held', {
        ...{ holdId: g.holdId, tickets: [3], buyer: null, expiresAtMs: g.expiresAtMs },
        ...cost(1),
      }),
      fact(lapsed, 'held', {
        ...{ holdId: l.holdId, tickets: [4], buyer: bob, expiresAtMs: l.expiresAtMs },
        ...cost(1),
      }),
      fact(confirmed, 'confirmed', {
        ...{ ...c, orderId: confirmed.orderId, key: keyDigest('', 'c') },
        ...cost(1),
      }),
      fact(released, 'released', { holdId: g.holdId, tickets: [3], buyer: null }),
      fact(expired, 'expired', { holdId: l.holdId, tickets: [4], buyer: bob }),
    ]);
    const [created] = await ledger.journal(entries.eventId, 0, 1);
    assert.deepEqual(
      [created!.kind, created!.seq, plain(created!.fact)],
      ['event-created', 1, { capacity: CAPACITY }],
    );
  });

  rule('[S11] each event counts its facts without a gap, also when batches mix events', async (script) => {
    const [one, two] = [script.entries, new EventEntries(CAPACITY)];
    await script.post(two.create());
    const seqs: Record<string, number[]> = { one: [], two: [] };
    for (let ticket = 0; ticket < CAPACITY; ticket += 2) {
      const outcomes = await script.post(
        one.buy([ticket]),
        two.buy([ticket]),
        one.buy([ticket]),
        two.buy([ticket + 1]),
        one.hold([ticket + 1]),
      );
      const seq = outcomes.map((outcome) => outcome.status === 'committed' && outcome.seq);
      assert.equal(seq[2], false);
      seqs.one!.push(seq[0] as number, seq[4] as number);
      seqs.two!.push(seq[1] as number, seq[3] as number);
    }
    const gapless = Array.from({ length: CAPACITY }, (_, index) => index + 2);
    assert.deepEqual(seqs, { one: gapless, two: gapless });
    await script.assertAudited(two.eventId);
  });

  rule('[S11] journal and orders are read in pages, in the order of their facts', async (script) => {
    const { entries, ledger } = script;
    const late = freshId<OrderId>();
    const held = await script.grant(entries.hold([9]));
    const orderIds: unknown[] = [];
    for (let ticket = 0; ticket < 4; ticket++)
      orderIds.push((await script.grant(entries.buy([ticket]))).orderId);
    await script.grant(entries.confirm(held.holdId!, { orderId: late }));
    orderIds.push(late);

    const pages = [];
    for (let page = 0, after = 0; page < 4; page++) {
      const orders = await ledger.orders(entries.eventId, after, 2);
      pages.push(orders.map((order) => order.orderId));
      after = orders.at(-1)?.seq ?? after;
    }
    assert.deepEqual(pages, [orderIds.slice(0, 2), orderIds.slice(2, 4), orderIds.slice(4), []]);
    const journal = await ledger.journal(entries.eventId, 3, 2);
    assert.deepEqual(
      journal.map(({ seq }) => seq),
      [4, 5],
    );
    assert.deepEqual(await ledger.journal(entries.eventId, 7, 10), []);
  });
}

function fact(outcome: Committed, kind: FactKind, fact: object) {
  return { seq: outcome.seq, kind, atMs: outcome.atMs, fact };
}

/** What an order costs, from the entry that claimed its tickets, and that nothing was returned. */
function asMade({ price }: Buy | Hold) {
  return { ...price, returned: [], refundedAmount: 0 };
}

export function reading(rule: Rule): void {
  rule('[S4] what was answered is read at once, by all reads', async (script) => {
    const { entries, ledger } = script;
    const { eventId } = entries;
    const buy = entries.buy([0, 1]);
    const hold = entries.hold([3, 2]);
    const confirm = entries.confirm(hold.holdId);
    const bought = await script.grant(buy);
    const held = await script.grant(hold);
    const record = { eventId, buyer: hold.buyer, tickets: [3, 2], createdAtMs: held.atMs, seq: held.seq };
    const { holdId } = hold;
    const deadline = { holdId, expiresAtMs: held.expiresAtMs!, secret: hold.secret, ...hold.price };
    assert.deepEqual(await ledger.hold(holdId), { ...record, ...deadline, status: 'active', orderId: null });
    const sold = { as: 'sold', by: buy.orderId };
    assert.deepEqual(await sortedClaims(ledger, eventId), [
      { ticket: 0, ...sold },
      { ticket: 1, ...sold },
      { ticket: 2, as: 'held', by: holdId },
      { ticket: 3, as: 'held', by: holdId },
    ]);

    const confirmed = await script.grant(confirm);
    const { orderId } = confirm;
    assert.deepEqual(await ledger.hold(holdId), { ...record, ...deadline, status: 'confirmed', orderId });
    const { secret, buyer } = buy;
    const first = { eventId, orderId: buy.orderId, status: 'confirmed', buyer, secret, tickets: [0, 1] };
    const second = { eventId, orderId, status: 'confirmed', buyer: hold.buyer, secret: confirm.secret };
    const orders = [
      { ...first, ...asMade(buy), seq: bought.seq, createdAtMs: bought.atMs, holdId: null },
      {
        ...second,
        ...asMade(hold),
        tickets: [3, 2],
        seq: confirmed.seq,
        createdAtMs: confirmed.atMs,
        holdId,
      },
    ];
    assert.deepEqual(await ledger.orders(eventId, 0, 10), orders);
    assert.deepEqual([await ledger.order(buy.orderId), await ledger.order(orderId)], orders);
    const snapshot = await ledger.claims(eventId);
    assert.deepEqual([snapshot.seq, await script.claims()], [4, { held: [], sold: [0, 1, 2, 3] }]);
  });

  rule('[S4] what is not there reads as nothing', async (script) => {
    const { entries, ledger } = script;
    const { orderId } = await script.grant(entries.buy([0]));
    const { holdId } = await script.grant(entries.hold([1]));
    const unknown = new EventEntries(1).eventId;
    assert.equal(await ledger.order(freshId()), undefined);
    assert.equal(await ledger.hold(freshId()), undefined);
    assert.equal(await ledger.order(holdId as string as OrderId), undefined);
    assert.equal(await ledger.hold(orderId as string as HoldId), undefined);
    assert.deepEqual(await ledger.claimsOf(entries.eventId, ticketsOf(5, CAPACITY)), []);
    assert.deepEqual(await ledger.claimsOf(unknown, ticketsOf(0)), []);
    assert.deepEqual(await ledger.orders(unknown, 0, 10), []);
    assert.deepEqual(await ledger.journal(unknown, 0, 10), []);
    await assert.rejects(ledger.claims(unknown), /no event/);
    await assert.rejects(ledger.audit(unknown), /no event/);
  });

  rule('[S4] events are read as they were made, in the order they were made', async (script) => {
    const more = [new EventEntries(2), new EventEntries(3), new EventEntries(4)];
    await script.post(...more.map((entries) => entries.create()));
    const made = [script.entries, ...more].map((entries) => entries.event);
    const { events } = await script.ledger.events();
    assert.deepEqual(
      events.filter(({ event }) => made.some(({ eventId }) => eventId === event.eventId)),
      made.map((event) => ({ event, version: 1 })),
    );
  });

  rule(
    '[S4] events are read from where an earlier read ended, which is how new ones are found',
    async (script) => {
      const { ledger } = script;
      await script.post(openShop());
      const { next: before } = await ledger.events();
      assert.deepEqual(await ledger.events(before), { events: [], next: before });
      const more = [new EventEntries(2), new EventEntries(3)];
      await script.post(...more.map((entries) => entries.create()));
      const made = more.map(({ event }) => ({ event, version: 1 }));
      assert.deepEqual(await ledger.events(before), { events: made, next: before + 2 });
      assert.deepEqual(await ledger.events(before + 1), { events: made.slice(1), next: before + 2 });
      assert.deepEqual((await ledger.events(before + 9)).events, []);
    },
  );

  rule('[S2] the heads say where every event stands, and move with every commit', async (script) => {
    const { entries } = script;
    const other = new EventEntries(3);
    const stand = async (ofWhom = entries) => {
      const head = (await script.ledger.heads()).find(({ eventId }) => eventId === ofWhom.eventId);
      return head && [head.seq, head.held, head.sold];
    };
    assert.deepEqual([await stand(), await stand(other)], [[1, 0, 0], undefined]);
    const [hold, due] = [entries.hold([2, 3, 4]), entries.hold([5], { ttlMs: 0 })];
    await script.post(other.create(), entries.buy([0, 1]), hold, due, entries.buy([1]), other.buy([2]));
    assert.deepEqual([await stand(), await stand(other)], [[4, 4, 2], [2, 0, 1]]); // biome-ignore format: a table
    await script.post(entries.confirm(hold.holdId), entries.expire(due.holdId));
    assert.deepEqual(await stand(), [6, 0, 5]);
    const given = entries.hold([5, 6]);
    await script.post(given, entries.release(given.holdId), entries.confirm(hold.holdId), entries.hold([6]));
    assert.deepEqual(await stand(), [9, 1, 5]);
    await script.assertAudited(other.eventId);
  });

  rule('[S1] neighbouring 64-bit ids are kept apart', async (script) => {
    const { entries, ledger } = script;
    const ids = ['9223372036854775807', '9223372036854775806', '9223372036854775805'] as OrderId[];
    for (const [ticket, orderId] of ids.entries()) await script.grant(entries.buy([ticket], { orderId }));
    const orders = await Promise.all(ids.map((id) => ledger.order(id)));
    assert.deepEqual(
      orders.map((order) => [order?.orderId, order?.tickets]),
      ids.map((id, ticket) => [id, [ticket]]),
    );
    const claims = await sortedClaims(ledger, entries.eventId);
    assert.deepEqual(
      claims.map(({ by }) => by),
      ids,
    );
  });

  rule('[S5] text that means something to SQL or JSON is kept as it is', async (script) => {
    const { entries, ledger } = script;
    const texts = [
      `Robert'); DROP TABLE claims;--`,
      '"\\"\\u0000 {"a":1} $1 ? :x %s',
      'two\nlines\ttab',
      'Zoë 名前 🎟️👩‍👩‍👧',
      '',
    ];
    for (const [ticket, text] of texts.entries()) {
      const key = underKey(`k${text}`, `h${text}`, `s${ticket}`);
      const order = await script.grant(entries.buy([ticket], { ...key, buyer: text, secret: text }));
      const { buyer, secret } = (await ledger.order(order.orderId!))!;
      assert.deepEqual([order.buyer, order.secret, buyer, secret], Array(4).fill(text));
      const [again] = await script.post(entries.buy([11], key));
      assert.deepEqual(again, { ...order, replayed: true });
      const [journaled] = await ledger.journal(entries.eventId, order.seq - 1, 1);
      assert.ok(journaled?.kind === 'bought');
      assert.deepEqual([journaled.fact.buyer, journaled.fact.key], [text, key.idempotency.digest]);
    }
  });
}

async function sortedClaims(ledger: Ledger, eventId: EventId) {
  const all = Array.from({ length: CAPACITY }, (_, ticket) => ticket);
  const claims = await ledger.claimsOf(eventId, ticketsOf(...all.reverse()));
  return claims.sort((a, b) => a.ticket - b.ticket);
}

export function reopening(rule: Rule): void {
  rule('[S4] a ledger that was closed and opened again has all it had, and goes on', async (script) => {
    const { entries } = script;
    const bought = await script.grant(entries.buy([0], underKey('a')));
    const held = await script.grant(entries.hold([1, 2]));
    await script.refuse(entries.refuse('ALL_HELD', underKey('b')), 'ALL_HELD');
    const before = await everything(script);

    await script.reopen();
    assert.deepEqual(await everything(script), before);
    const [again, refused] = await script.post(
      entries.buy([3], underKey('a')),
      entries.buy([3], underKey('b')),
    );
    assert.deepEqual(again, { ...bought, replayed: true });
    assert.deepEqual(refused, { status: 'refused', refusal: 'ALL_HELD', replayed: true });
    await script.refuse(entries.buy([1]), 'TICKET_TAKEN');
    const confirmed = await script.grant(entries.confirm(held.holdId!));
    assert.equal(confirmed.seq, held.seq + 1);
    const other = new EventEntries(1);
    await script.grant(other.create());
    assert.equal((await script.ledger.events()).events.at(-1)?.event.eventId, other.eventId);
  });

  rule('[S4] what staff and buyers had is theirs after the ledger was opened again', async (script) => {
    const { entries } = script;
    const event = entries.grown(2);
    const { seq: version } = await script.grant(entries.change(1, { event, setAside: ticketsOf(5) }));
    const held = await script.grant(entries.hold([1, 2], { buyer: 'ann' }));
    const { expiresAtMs } = await script.grant(entries.extend(held.holdId!, LONG_MS, 2 * LONG_MS));
    await script.reopen();
    const limits = { tickets: [{ ranges: [[0, CAPACITY + 2] as const], max: 2 }] };
    await script.refuse(entries.buy([3], { buyer: 'ann', limits }), 'LIMIT_REACHED');
    await script.refuse(entries.buy([5]), 'TICKET_TAKEN');
    await script.refuse(entries.buy([6], { version: 1 }), 'EVENT_CHANGED');
    await script.grant(entries.buy([CAPACITY + 1], { version }));
    assert.equal((await script.ledger.hold(held.holdId!))?.expiresAtMs, expiresAtMs);
    assert.deepEqual(await script.ledger.event(entries.eventId), { event, version });
    await script.grant(entries.change(version, { event, restored: ticketsOf(5) }));
    await script.grant(entries.buy([5], { version: version + 4 }));
  });

  rule('[S4] what was posted before the ledger was closed is committed', async (script) => {
    const { entries } = script;
    const posted = script.post(entries.buy([0]), entries.hold([1]));
    await script.reopen();
    for (const outcome of await posted) assertGranted(outcome);
    assert.deepEqual(await script.claims(), { held: [1], sold: [0] });
  });
}

/** All that the reads give of the script's event. */
async function everything({ ledger, entries: { eventId } }: Script): Promise<unknown> {
  return [
    await ledger.events(),
    await ledger.heads(),
    await ledger.orders(eventId, 0, 100),
    await ledger.journal(eventId, 0, 100),
    await ledger.claims(eventId),
    await sortedClaims(ledger, eventId),
    await ledger.audit(eventId),
  ];
}
