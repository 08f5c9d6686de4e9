// The part of the ledger contract that is about what staff do: changes of events, and the shop's own journal.
import assert from 'node:assert/strict';
import type { AllocationId } from '@floodgate/core/ids.ts';
import { SHOP, type StreamId } from '@floodgate/core/ids.ts';
import type { ChangeEvent } from '../ledger.ts';
import {
  EventEntries,
  freshId,
  keepManifest,
  openShop,
  recordOfShop,
  ticketsOf,
  underKey,
} from './test-entries.ts';
import { assertGranted, assertRefused, CAPACITY, plain, type Rule, type Script } from './test-script.ts';

export function changingEvents(rule: Rule): void {
  rule('[S11] a change of an event is one fact that names the one before it', async (script) => {
    const { entries, ledger } = script;
    const paused = { ...entries.event, status: 'paused' } as const;
    const why = { by: 'key-7', action: 'pause', before: { status: 'open' }, after: { status: 'paused' } };
    const first = await script.grant(entries.change(1, { event: paused, ...why }));
    assert.deepEqual(await ledger.event(entries.eventId), { event: paused, version: first.seq });
    await script.grant(entries.buy([0]));
    const allocationId = freshId<AllocationId>();
    const setAside = ticketsOf(4, 5);
    const second = await script.grant(
      entries.change(first.seq, { event: entries.grown(3), setAside, allocationId }),
    );
    const read = (await ledger.events()).events.find(({ event }) => event.eventId === entries.eventId);
    assert.deepEqual(read, { event: entries.grown(3), version: second.seq });
    const changes = (await ledger.journal(entries.eventId, 1, 10)).filter(
      ({ kind }) => kind === 'event-changed',
    );
    const plainly = { by: 'key-1', action: 'change', before: {}, after: {} };
    assert.deepEqual(changes.map(plain), [
      {
        ...{ seq: first.seq, kind: 'event-changed', atMs: first.atMs },
        fact: { ...why, capacity: CAPACITY, setAside: [], restored: [], previous: 1 },
      },
      {
        ...{ seq: second.seq, kind: 'event-changed', atMs: second.atMs },
        fact: {
          ...plainly,
          capacity: CAPACITY + 3,
          setAside,
          restored: [],
          allocationId,
          previous: first.seq,
        },
      },
    ]);
  });

  rule(
    '[S1] of two changes made from one version the second is refused, and changes nothing',
    async (script) => {
      const { entries, ledger } = script;
      const setAside = ticketsOf(1);
      const [first, second] = await script.post(
        entries.change(1, { action: 'first' }),
        entries.change(1, { action: 'second', event: entries.grown(1), setAside }),
      );
      const { seq } = assertGranted(first!);
      assertRefused(second!, 'EVENT_CHANGED');
      await script.refuse(entries.change(1, { setAside }), 'EVENT_CHANGED');
      await script.refuse(entries.change(seq + 1), 'EVENT_CHANGED');
      assert.deepEqual(await ledger.event(entries.eventId), { event: entries.event, version: seq });
      assert.deepEqual(await script.journalKinds(), ['event-created', 'event-changed']);
      assert.deepEqual(await script.asides(), []);
    },
  );

  rule(
    '[S1] what was checked against an earlier version is refused, also in the same batch',
    async (script) => {
      const { entries } = script;
      const [held, kept] = [entries.hold([0], { version: 1 }), entries.hold([1])];
      const [, , , change, ...late] = await script.post(
        ...[held, kept, entries.buy([2], { version: 1 })],
        entries.change(1),
        ...[entries.buy([3], { version: 1 }), entries.hold([4], { version: 1 })],
        entries.confirm(held.holdId, { version: 1 }),
      );
      const { seq: version } = assertGranted(change!);
      for (const outcome of late) assertRefused(outcome, 'EVENT_CHANGED');
      await script.refuse(entries.buy([3], { version: 1 }), 'EVENT_CHANGED');
      await script.refuse(entries.confirm(held.holdId, { version: 1 }), 'EVENT_CHANGED');
      await script.grant(entries.buy([3], { version }));
      await script.grant(entries.confirm(held.holdId, { version }));
      await script.grant(entries.confirm(kept.holdId));
      await script.grant(entries.release((await script.grant(entries.hold([4], { version }))).holdId!));
    },
  );

  rule(
    '[S5] that the event has changed is no answer: the key is free, and one with an answer keeps it',
    async (script) => {
      const { entries } = script;
      const bought = await script.grant(entries.buy([0], { ...underKey('a'), version: 1 }));
      const hold = await script.grant(entries.hold([1]));
      const confirmed = await script.grant(entries.confirm(hold.holdId!, { ...underKey('b'), version: 1 }));
      const { seq: version } = await script.grant(entries.change(1));
      const again = await script.post(
        entries.buy([0], { ...underKey('a'), version: 1 }),
        entries.confirm(hold.holdId!, { ...underKey('b'), version: 1 }),
        // Without a key, too: the order is there, whatever the event has become.
        entries.confirm(hold.holdId!, { version: 1 }),
      );
      assert.deepEqual(again, [bought, confirmed, confirmed].map((outcome) => ({ ...outcome, replayed: true }))); // biome-ignore format: short
      await script.refuse(entries.buy([2], { ...underKey('c'), version: 1 }), 'EVENT_CHANGED');
      await script.grant(entries.buy([2], { ...underKey('c'), version }));
    },
  );

  rule('[S2] capacity grows while the event is on sale', async (script) => {
    const { entries } = script;
    const last = CAPACITY;
    await assert.rejects(script.ledger.post(entries.buy([last])), /broken invariant/);
    const [change, sale] = await script.post(
      entries.change(1, { event: entries.grown(2) }),
      entries.buy([last]),
    );
    const { seq } = assertGranted(change!);
    assertGranted(sale!);
    await script.grant(entries.hold([last + 1, 3]));
    await assert.rejects(script.ledger.post(entries.buy([last + 2])), /broken invariant/);
    await script.grant(entries.change(seq, { event: entries.grown(3), setAside: ticketsOf(last + 2) }));
    assert.deepEqual(await script.claims(), { held: [3, last + 1], sold: [last] });
    assert.deepEqual(await script.asides(), [last + 2]);
  });

  rule('[S1] an event that is made and changed in one batch is as it was left', async (script) => {
    const other = new EventEntries(2);
    const outcomes = await script.post(
      other.create(),
      other.change(1, { event: other.grown(1), setAside: ticketsOf(2) }),
      other.buy([1], { version: 2 }),
      other.change(2, { event: other.grown(4) }),
      other.hold([5], { version: 4 }),
    );
    for (const outcome of outcomes) assertGranted(outcome);
    assert.deepEqual(await script.ledger.event(other.eventId), { event: other.grown(4), version: 4 });
    await script.grant(other.buy([4], { version: 4 }));
    await script.assertAudited(other.eventId);
  });

  rule('[S3] a change that could never be right fails alone', async (script) => {
    const { entries } = script;
    const allocationId = freshId<AllocationId>();
    const flawed: Partial<ChangeEvent>[] = [
      { event: entries.grown(-1) },
      { capacity: CAPACITY + 1 },
      { event: new EventEntries(CAPACITY).event },
      { setAside: ticketsOf(1), allocationId: undefined },
      ...[[1, 1], [CAPACITY], [-1], [0.5]].map((numbers) => ({ setAside: ticketsOf(...numbers) })),
      { setAside: ticketsOf(1), restored: ticketsOf(1), allocationId },
    ];
    for (const flaw of flawed) {
      await assert.rejects(script.ledger.post(entries.change(1, flaw)), /broken invariant/);
    }
    await script.grant(entries.change(1));
  });
}

export function settingAside(rule: Rule): void {
  rule('[S1] a ticket that is set aside is not sold until it is put back on sale', async (script) => {
    const { entries, ledger } = script;
    const allocationId = freshId<AllocationId>();
    const setAside = ticketsOf(3, 4, 5);
    const { seq: version } = await script.grant(entries.change(1, { setAside, allocationId }));
    const { taken } = await script.refuse(entries.buy([2, 3]), 'TICKET_TAKEN');
    assert.deepEqual(taken, [{ ticket: 3, as: 'aside' }]);
    await script.refuse(entries.hold([5]), 'TICKET_TAKEN');
    assert.deepEqual(await script.asides(), [3, 4, 5]);
    const [claim] = await ledger.claimsOf(entries.eventId, ticketsOf(4));
    assert.deepEqual(claim, { ticket: 4, as: 'aside', by: allocationId });
    assert.deepEqual(await headOf(script), { seq: 2, held: 0, sold: 0, aside: 3, version });

    const [back, sale, late] = await script.post(
      entries.change(version, { restored: ticketsOf(4, 3) }),
      entries.buy([3]),
      entries.buy([5]),
    );
    assertGranted(back!);
    assertGranted(sale!);
    assertRefused(late!, 'TICKET_TAKEN');
    await script.grant(entries.hold([4]));
    assert.deepEqual(await script.asides(), [5]);
    assert.deepEqual(await headOf(script), { seq: 5, held: 1, sold: 1, aside: 1, version: 3 });
  });

  rule('[S3] a change that finds a ticket taken takes none, and says which', async (script) => {
    const { entries, ledger } = script;
    const hold = entries.hold([1]);
    await script.post(entries.buy([0]), hold);
    const change = entries.change(1, { event: entries.grown(2), setAside: ticketsOf(2, 1, 0) });
    const { taken } = await script.refuse(change, 'TICKET_TAKEN');
    assert.deepEqual(taken, [
      { ticket: 1, as: 'held' },
      { ticket: 0, as: 'sold' },
    ]);
    assert.deepEqual(await ledger.event(entries.eventId), { event: entries.event, version: 1 });
    const [, again] = await script.post(entries.release(hold.holdId), change);
    assert.deepEqual(assertRefused(again!, 'TICKET_TAKEN').taken, [{ ticket: 0, as: 'sold' }]);
    assert.deepEqual(await script.asides(), []);
    const { seq } = await script.grant(entries.change(1, { setAside: ticketsOf(1, 2) }));
    const { taken: aside } = await script.refuse(
      entries.change(seq, { setAside: ticketsOf(2, 3) }),
      'TICKET_TAKEN',
    );
    assert.deepEqual(aside, [{ ticket: 2, as: 'aside' }]);
  });

  rule('[S9] only what is set aside is put back on sale', async (script) => {
    const { entries } = script;
    await script.post(entries.buy([0]), entries.hold([1]));
    const { seq } = await script.grant(entries.change(1, { setAside: ticketsOf(2, 3) }));
    for (const restored of [[2, 0], [1], [2, 4], [3, 11]]) {
      await script.refuse(entries.change(seq, { restored: ticketsOf(...restored) }), 'TICKET_TAKEN');
    }
    assert.deepEqual(await script.asides(), [2, 3]);
    const both = entries.change(seq, { restored: ticketsOf(2), setAside: ticketsOf(4, 5) });
    const { seq: version } = await script.grant(both);
    assert.deepEqual(await script.asides(), [3, 4, 5]);
    await script.refuse(entries.change(version, { restored: ticketsOf(2) }), 'TICKET_TAKEN');
    await script.grant(entries.change(version, { restored: ticketsOf(3, 5) }));
    await script.grant(entries.buy([2, 3]));
    assert.deepEqual(await script.asides(), [4]);
  });
}

export async function headOf({ ledger, entries }: Script) {
  const head = (await ledger.heads()).find(({ eventId }) => eventId === entries.eventId);
  const { eventId: _, ...stand } = head!;
  return stand;
}

/** All rules share the shop's one stream, which other tests on the same ledger may write to. */
export function keepingShop(rule: Rule): void {
  rule('[S11] facts of the shop are in its own journal, and it is read like an event', async (script) => {
    const { ledger } = script;
    await ledger.post(openShop());
    const before = (await ledger.journal(SHOP, 0, 10_000)).length;
    const made = await script.grant(recordOfShop({ keyId: 'k1', role: 'admin', by: null }));
    const revoked = await script.grant(recordOfShop({ keyId: 'k1' }, 'key-revoked'));
    assert.deepEqual([made.seq, revoked.seq], [before + 1, before + 2]);
    assert.deepEqual((await ledger.journal(SHOP, before, 10)).map(plain), [
      { seq: before + 1, kind: 'key-made', atMs: made.atMs, fact: { keyId: 'k1', role: 'admin', by: null } },
      { seq: before + 2, kind: 'key-revoked', atMs: revoked.atMs, fact: { keyId: 'k1' } },
    ]);
    const eventId = script.entries.eventId as StreamId as typeof SHOP;
    await assert.rejects(ledger.post({ ...recordOfShop({}), eventId }), /broken invariant/);
    await assert.rejects(ledger.post({ ...keepManifest('a', ''), eventId }), /broken invariant/);
    await script.assertAudited(SHOP);
  });

  rule('[S11] events and streams are two lists: the shop is a stream, and no event', async (script) => {
    const { entries, ledger } = script;
    await ledger.post(openShop());
    await script.refuse(openShop(), 'EVENT_EXISTS');
    const made = await script.grant(recordOfShop({ keyId: 'k1' }));
    await script.grant(entries.buy([0]));
    const streams = new Map((await ledger.streams()).map(({ stream, seq }) => [stream, seq]));
    assert.deepEqual([streams.get(entries.eventId), streams.get(SHOP)], [2, made.seq]);
    const { events } = await ledger.events();
    const ids = [
      ...events.map(({ event }) => event.eventId),
      ...(await ledger.heads()).map((head) => head.eventId),
    ];
    assert.ok(ids.includes(entries.eventId) && !ids.some((id: string) => id === SHOP));
    assert.equal(streams.size, events.length + 1);
  });

  rule('[S4] a manifest is kept under its id, once, and read as it was', async (script) => {
    const { ledger } = script;
    await ledger.post(openShop());
    const ids = [1, 2, 3].map(() => `manifest-${freshId()}`);
    const contents = [`{"a":"Ö'\\"🎟️"}`, '', `["${'x'.repeat(2_000_000)}"]`];
    assert.equal(await ledger.manifest(ids[0]!), undefined);
    const before = (await ledger.journal(SHOP, 0, 10_000)).length;
    const entries = ids.map((id, index) => keepManifest(id, contents[index]!));
    await script.post(entries[0]!, entries[1]!, entries[0]!);
    await script.grant(entries[2]!);
    await script.grant(entries[1]!);
    for (const [index, id] of ids.entries()) assert.equal(await ledger.manifest(id), contents[index]);
    const facts = (await ledger.journal(SHOP, before, 10)).map(({ kind, fact }) => ({ kind, ...fact }));
    assert.deepEqual(
      facts,
      [0, 1, 0, 2, 1].map((index) => {
        const bytes = Buffer.byteLength(contents[index]!);
        return { kind: 'manifest-kept', manifestId: ids[index], by: 'key-1', bytes };
      }),
    );
    await script.assertAudited(SHOP);
  });
}
