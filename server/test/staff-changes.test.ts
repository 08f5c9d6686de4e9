// Staff change an event in the midst of its on-sale: what they were answered holds for every sale after it, and no
// ticket is lost or sold twice on the way. The controls take out what it rests on, and must fail.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalEntry } from '../src/ledger/ledger.ts';
import { seededRandom } from './checker/random.ts';
import * as shapes from './shapes.ts';
import { eventOf, openTestShop, type Reply, type TestShop } from './test-shop.ts';

const staff = { asStaff: true } as const;

async function shopWith(t: TestContext, tickets: number): Promise<TestShop> {
  const shop = await openTestShop({
    settings: { SEED_EVENTS: '1' },
    events: [eventOf('hot', { ga: tickets })],
  });
  t.after(() => shop.close());
  return shop;
}

/** Buyers who buy, hold, confirm and give back without a rest, until `isOver`. Faults of the shop are failures. */
async function crowd(shop: TestShop, buyers: number, isOver: () => boolean, random: () => number) {
  const granted: number[][] = [];
  const shopOnce = async (): Promise<Reply> => {
    const quantity = 1 + Math.floor(random() * 3);
    if (random() < 0.5) return shop.ask('POST', '/buy/hot', { body: { quantity } });
    const body = { lines: [{ ticketType: 'ga', quantity }] };
    const held = await shop.ask('POST', '/api/v1/events/hot/holds', { body });
    if (held.status !== 201) return held;
    const { holdId } = shapes.read(held, 201, shapes.hold);
    if (random() < 0.5) return shop.ask('DELETE', `/api/v1/holds/${holdId}`);
    return shop.ask('POST', `/api/v1/holds/${holdId}/confirm`);
  };
  const buyer = async (): Promise<void> => {
    while (!isOver()) {
      const reply = await shopOnce();
      assert.ok(reply.status < 500, reply.text);
      const { orderId, tickets } = reply.body as { orderId?: string; tickets?: { ticketId: string }[] };
      if (reply.status === 201 && orderId) granted.push(tickets!.map(({ ticketId }) => Number(ticketId)));
    }
  };
  await Promise.all(Array.from({ length: buyers }, buyer));
  return granted;
}

const journalOf = (shop: TestShop): Promise<JournalEntry[]> =>
  shop.rooms.ledger.journal('hot' as never, 0, 1_000_000);

const SALES = new Set(['bought', 'held', 'confirmed']);

/** Sales between a pause and what ended it, by the order of the ledger. */
function salesWhilePaused(journal: readonly JournalEntry[]): JournalEntry[] {
  let isPaused = false;
  return journal.filter(({ kind, fact }) => {
    if (kind === 'event-changed') isPaused = fact.action === 'pause';
    return isPaused && SALES.has(kind);
  });
}

/** Pauses and resumes while the crowd shops. */
async function pauseAndResume(shop: TestShop, times: number): Promise<JournalEntry[]> {
  const random = seededRandom(7);
  let isOver = false;
  const crowding = crowd(shop, 16, () => isOver, random);
  for (let i = 0; i < times; i++) {
    for (const command of ['pause', 'resume']) {
      await sleep(5 + random() * 40);
      const reply = await shop.ask('POST', `/api/v1/events/hot/${command}`, staff);
      shapes.read(reply, 200, shapes.staffEvent);
    }
  }
  isOver = true;
  await crowding;
  return journalOf(shop);
}

test('[E1] after a pause is answered nothing is sold, whatever was on its way', async (t) => {
  const shop = await shopWith(t, 50_000);
  const journal = await pauseAndResume(shop, 20);
  const sales = journal.filter(({ kind }) => SALES.has(kind)).length;
  t.diagnostic(`${sales} sales around 20 pauses`);
  assert.ok(sales > 200, 'too few sales for a proof');
  assert.deepEqual(salesWhilePaused(journal), []);
});

test('control: when claims do not say which version they were checked against, sales slip through', async (t) => {
  const shop = await shopWith(t, 50_000);
  const { ledger } = shop.rooms;
  const post = ledger.post.bind(ledger);
  ledger.post = (entry) => post(entry.kind === 'change-event' ? entry : { ...entry, version: undefined });
  assert.notEqual(salesWhilePaused(await pauseAndResume(shop, 20)).length, 0);
});

test('[S1] [S2] [E2] capacity goes up and down, tickets are set aside and dropped, in the midst of a stampede', async (t) => {
  const shop = await shopWith(t, 400);
  const seed = Number(process.env.FAULT_SEED ?? 1 + Math.floor(Math.random() * 1e9));
  t.diagnostic(`FAULT_SEED=${seed}`);
  const random = seededRandom(seed);
  let isOver = false;
  const crowding = crowd(shop, 16, () => isOver, random);
  const statuses = new Map<number, number>();
  const ids: string[] = [];
  const change = async (): Promise<void> => {
    const dice = random();
    let reply: Reply;
    if (dice < 0.6) {
      const event = await shop.ask('GET', '/api/v1/events/hot', staff);
      const { ticketTypes } = shapes.read(event, 200, shapes.staffEvent);
      const capacity = Math.max(0, ticketTypes[0]!.capacity + Math.round((random() - 0.4) * 300));
      const body = { ticketTypes: [{ ticketTypeId: 'ga', capacity }] };
      const headers = { 'if-match': event.headers.get('etag')! };
      reply = await shop.ask('PATCH', '/api/v1/events/hot', { ...staff, body, headers });
    } else if (dice < 0.8 || ids.length === 0) {
      const lines = [{ ticketType: 'ga', quantity: 1 + Math.floor(random() * 40) }];
      const body = { name: 'Channel', kind: dice < 0.7 ? 'kill' : 'channel', lines };
      reply = await shop.ask('POST', '/api/v1/events/hot/allocations', { ...staff, body });
      if (reply.status === 201) ids.push(shapes.read(reply, 201, shapes.allocation).allocationId);
    } else {
      const [id] = ids.splice(Math.floor(random() * ids.length), 1);
      reply = await shop.ask('POST', `/api/v1/events/hot/allocations/${id}/release`, staff);
    }
    assert.ok([200, 201, 409, 412].includes(reply.status), reply.text);
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
  };
  const changing = async (): Promise<void> => {
    while (!isOver) {
      await change();
      await sleep(random() * 10);
    }
  };
  const over = sleep(4_000).then(() => {
    isOver = true;
  });
  const [granted] = await Promise.all([crowding, changing(), changing(), over]);
  t.diagnostic(`${granted.length} orders; changes by answer: ${JSON.stringify([...statuses])}`);
  assert.ok((statuses.get(200) ?? 0) > 20 && granted.length > 50, 'too little happened for a proof');

  const sold = granted.flat();
  assert.equal(new Set(sold).size, sold.length, '[S1] a ticket was answered twice');
  assertNeverOversold(await journalOf(shop));
  await assertSound(shop, sold.length);
  const left = await sellOut(shop);
  await assertSound(shop, sold.length + left);
});

/** By the facts alone: no ticket is claimed while it is claimed, none beyond the capacity of that moment. */
function assertNeverOversold(journal: readonly JournalEntry[]): void {
  const claims = new Map<number, string>();
  let capacity = 0;
  for (const { seq, kind, fact } of journal) {
    if (typeof fact.capacity === 'number') {
      assert.ok(fact.capacity >= capacity, 'ticket numbers end');
      ({ capacity } = fact);
    }
    const claim = (tickets: unknown, as: string, was: string | undefined): void => {
      for (const ticket of (tickets ?? []) as number[]) {
        assert.ok(ticket < capacity, `[S2] ticket ${ticket} of ${capacity} at ${seq}`);
        assert.equal(claims.get(ticket), was, `[S1] ticket ${ticket} at ${seq} (${kind})`);
        if (as === '') claims.delete(ticket);
        else claims.set(ticket, as);
      }
    };
    if (kind === 'bought') claim(fact.tickets, 'sold', undefined);
    else if (kind === 'held') claim(fact.tickets, 'held', undefined);
    else if (kind === 'confirmed') claim(fact.tickets, 'sold', 'held');
    else if (kind === 'released' || kind === 'expired') claim(fact.tickets, '', 'held');
    else if (kind === 'event-changed') {
      claim(fact.setAside, 'aside', undefined);
      claim(fact.restored, '', 'aside');
    }
  }
}

/** The audit is content, and the counts that are shown add up to the capacity and to what was sold. */
async function assertSound(shop: TestShop, sold: number): Promise<void> {
  const report = shapes.read(await shop.ask('GET', '/api/v1/events/hot/audit', staff), 200, shapes.audit);
  assert.ok(report.ok, JSON.stringify(report));
  const { ticketTypes } = shapes.read(
    await shop.ask('GET', '/api/v1/events/hot', staff),
    200,
    shapes.staffEvent,
  );
  const [type] = report.counts;
  assert.equal(type!.capacity, ticketTypes[0]!.capacity);
  assert.equal(type!.available + type!.held + type!.sold + type!.allocated + type!.killed, type!.capacity);
  assert.equal(type!.sold, sold);
}

/** Buys one after the other until there are no more; says how many there were: exactly those shown as available. */
async function sellOut(shop: TestShop): Promise<number> {
  const now = await shop.ask('GET', '/api/v1/events/hot/availability');
  const { available, held } = shapes.read(now, 200, shapes.availability);
  assert.equal(held, 0);
  let left = 0;
  for (; ; left++) {
    const reply = await shop.ask('POST', '/buy/hot');
    if (reply.status === 201) continue;
    shapes.readProblem(reply, 409, 'SOLD_OUT');
    break;
  }
  assert.equal(left, available);
  return left;
}
