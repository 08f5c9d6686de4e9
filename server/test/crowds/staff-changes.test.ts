// Staff change an event in the midst of its on-sale: what they were answered holds for every sale after it, and no
// ticket is lost or sold twice on the way. The control takes out what it rests on, and must fail.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../kit/checker/random.ts';
import {
  assertNeverOversold,
  assertSound,
  Crowd,
  type Entries,
  journalOf,
  salesIn,
  salesWhilePaused,
  sellOut,
} from '../kit/staff-crowd.ts';
import { eventOf, openTestShop, type TestShop } from '../kit/test-shop.ts';

const BUYERS = 16;
const PAUSES = 20;

async function shopWith(t: TestContext, tickets: number): Promise<TestShop> {
  const shop = await openTestShop({ events: [eventOf('hot', { ga: tickets })] });
  t.after(() => shop.close());
  return shop;
}

async function pauseInTheMidst(shop: TestShop): Promise<Entries> {
  const crowd = new Crowd([shop.ask], seededRandom(7));
  const shopping = crowd.shop(BUYERS);
  await crowd.pauseAndResume(PAUSES);
  crowd.isOver = true;
  await shopping;
  return journalOf(shop.ask);
}

test('[E1] after a pause is answered nothing is sold, whatever was on its way', async (t) => {
  const shop = await shopWith(t, 50_000);
  const journal = await pauseInTheMidst(shop);
  t.diagnostic(`${salesIn(journal).length} sales around ${PAUSES} pauses`);
  assert.ok(salesIn(journal).length > 200, 'too few sales for a proof');
  assert.deepEqual(salesWhilePaused(journal), []);
});

test('control: when claims do not say which version they were checked against, sales slip through', async (t) => {
  const shop = await shopWith(t, 50_000);
  const { ledger } = shop.inside;
  const post = ledger.post.bind(ledger);
  ledger.post = (entry) =>
    post('buyer' in entry || entry.kind === 'confirm' ? { ...entry, version: undefined } : entry);
  assert.notEqual(salesWhilePaused(await pauseInTheMidst(shop)).length, 0);
});

test('[S1] [S2] [E2] capacity goes up and down, tickets are set aside and dropped, in the midst of a stampede', async (t) => {
  const shop = await shopWith(t, 400);
  const seed = Number(process.env.FAULT_SEED ?? 1 + Math.floor(Math.random() * 1e9));
  t.diagnostic(`FAULT_SEED=${seed}`);
  const crowd = new Crowd([shop.ask], seededRandom(seed));
  const over = crowd.end(4_000, { orders: 50, changes: 20 });
  const [{ orders }] = await Promise.all([crowd.shop(BUYERS), crowd.change(), crowd.change(), over]);
  t.diagnostic(`${orders.length} orders; changes by answer: ${JSON.stringify([...crowd.changes])}`);
  assert.ok((crowd.changes.get(200) ?? 0) > 20 && orders.length > 50, 'too little happened for a proof');

  const sold = orders.flat();
  assert.equal(new Set(sold).size, sold.length, '[S1] a ticket was answered twice');
  assertNeverOversold(await journalOf(shop.ask));
  await assertSound(shop.ask, sold.length);
  const left = await sellOut(shop.ask);
  await assertSound(shop.ask, sold.length + left);
});

test('control: when the ledger is not told which tickets are set aside, the audit complains', async (t) => {
  const shop = await shopWith(t, 400);
  const { ledger } = shop.inside;
  const post = ledger.post.bind(ledger);
  ledger.post = (entry) =>
    post(entry.kind === 'change-event' ? { ...entry, setAside: [], restored: [] } : entry);
  const crowd = new Crowd([shop.ask], seededRandom(3));
  const over = crowd.end(1_000, { orders: 0, changes: 0 });
  const [{ orders }] = await Promise.all([crowd.shop(BUYERS), crowd.change(), over]);
  await assert.rejects(assertSound(shop.ask, orders.flat().length));
});
