// Whose a hold is: that of a buyer who is known, or of anyone who has its secret; to others it is not there. And so are
// orders.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ID_EPOCH_MS } from '@floodgate/core/ids.ts';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import {
  type Asking,
  eventOf,
  openTestShop,
  type Reply,
  type TestShop,
} from '../../../test/kit/test-shop.ts';
import { heldAnswer, holdAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../contract/orders.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop({ events: [eventOf('guessed', { ga: 2 }), eventOf('known', { ga: 2 })] });
});
after(() => shop?.close());

interface Buyer {
  readonly buyer: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function newBuyer(): Promise<Buyer> {
  const { buyer, token } = (await shop.ask('POST', '/api/v1/sessions')).body as {
    buyer: string;
    token: string;
  };
  return { buyer, headers: { authorization: `Bearer ${token}` } };
}

async function newKey(role: string): Promise<Readonly<Record<string, string>>> {
  const made = await shop.ask('POST', '/api/v1/api-keys', { body: { name: role, role }, asStaff: true });
  return { authorization: `Bearer ${(made.body as { key: string }).key}` };
}

const BODY = { lines: [{ ticketType: 'ga', quantity: 1 }] };
const take = async (asking: Asking = {}) => {
  const reply = await shop.ask('POST', '/api/v1/events/1/holds', { body: BODY, ...asking });
  return contentOf(reply, 201, heldAnswer);
};

/** Asks without the secret of the hold. */
const WITHOUT = { 'hold-secret': '' };

/** All that can be asked about a hold. */
const DOORS = [
  ['GET', ''],
  ['POST', '/extend'],
  ['POST', '/confirm'],
  ['DELETE', ''],
] as const;

test("another's hold is not there: not for guests, other buyers, or staff who may not sell", async () => {
  const [ann, bob] = [await newBuyer(), await newBuyer()];
  const hold = await take({ headers: ann.headers });
  const before = await shop.everything();
  const strangers = [{}, bob.headers, await newKey('door'), await newKey('read')];
  for (const stranger of strangers) {
    const headers = { ...stranger, ...WITHOUT };
    for (const [method, path] of DOORS) {
      const reply = await shop.ask(method, `/api/v1/holds/${hold.holdId}${path}`, { headers });
      readProblem(reply, 404, 'HOLD_NOT_FOUND');
      const keyed = { headers, key: 'stolen' };
      if (path === '/confirm') {
        readProblem(
          await shop.ask(method, `/api/v1/holds/${hold.holdId}${path}`, keyed),
          404,
          'HOLD_NOT_FOUND',
        );
      }
    }
  }
  assert.deepEqual(await shop.everything(), before);
});

test('its buyer and the box office read, extend, confirm and release it', async () => {
  const ann = await newBuyer();
  for (const known of [ann.headers, await newKey('box-office'), await newKey('admin')]) {
    const headers = { ...known, ...WITHOUT };
    const [one, other] = [await take({ headers: ann.headers }), await take({ headers: ann.headers })];
    for (const [method, path] of DOORS.slice(0, 3)) {
      const reply = await shop.ask(method, `/api/v1/holds/${one.holdId}${path}`, { headers });
      assert.ok(reply.status < 300, reply.text);
    }
    const released = await shop.ask('DELETE', `/api/v1/holds/${other.holdId}`, { headers });
    assert.equal(contentOf(released, 200, holdAnswer).status, 'released');
  }
});

test('[S6] confirming is answered with the order of its buyer, who reads it without the secret', async () => {
  const [ann, bob] = [await newBuyer(), await newBuyer()];
  const hold = await take({ headers: ann.headers });
  const confirmed = await shop.ask('POST', `/api/v1/holds/${hold.holdId}/confirm`, { headers: ann.headers });
  const { orderId, secret, buyer } = contentOf(confirmed, 201, confirmedAnswer);
  assert.equal(buyer, ann.buyer);
  const path = `/api/v1/orders/${orderId}`;
  contentOf(await shop.ask('GET', path, { headers: ann.headers }), 200, orderAnswer);
  contentOf(await shop.ask('GET', `${path}?secret=${secret}`), 200, orderAnswer);
  contentOf(await shop.ask('GET', path, { asStaff: true }), 200, orderAnswer);
  readProblem(await shop.ask('GET', path, { headers: bob.headers }), 404, 'ORDER_NOT_FOUND');
  readProblem(await shop.ask('GET', path), 404, 'ORDER_NOT_FOUND');
});

test('a hold that the box office made for a buyer is that buyer’s', async () => {
  const [ann, bob] = [await newBuyer(), await newBuyer()];
  const hold = await take({ body: { ...BODY, buyer: ann.buyer }, headers: await newKey('box-office') });
  const path = `/api/v1/holds/${hold.holdId}`;
  contentOf(await shop.ask('GET', path, { headers: ann.headers }), 200, holdAnswer);
  const headers = { ...bob.headers, ...WITHOUT };
  readProblem(await shop.ask('GET', path, { headers }), 404, 'HOLD_NOT_FOUND');
});

test('a hold of a guest, or of a name that nobody has earned, is used with its secret only', async () => {
  const bob = await newBuyer();
  const counter = await newKey('box-office');
  const wrong = { 'hold-secret': 'A'.repeat(22) };
  const reader = { ...(await newKey('read')), ...WITHOUT };
  const strangers = [WITHOUT, wrong, { ...bob.headers, ...WITHOUT }, reader];
  for (const asking of [{ body: { ...BODY, buyer: 'cust-123' } }, {}, { headers: counter }]) {
    const { holdId, secret } = await take(asking);
    const before = await shop.everything();
    for (const headers of strangers) {
      for (const [method, path] of DOORS) {
        const reply = await shop.ask(method, `/api/v1/holds/${holdId}${path}`, { headers, key: 'a thief' });
        readProblem(reply, 404, 'HOLD_NOT_FOUND');
      }
    }
    assert.deepEqual(await shop.everything(), before);
    for (const headers of [{ 'hold-secret': secret! }, { ...counter, ...WITHOUT }]) {
      const reply = await shop.ask('GET', `/api/v1/holds/${holdId}`, { headers });
      assert.ok(!('secret' in contentOf(reply, 200, holdAnswer)));
    }
    const headers = { 'hold-secret': secret! };
    contentOf(await shop.ask('POST', `/api/v1/holds/${holdId}/extend`, { headers }), 200, holdAnswer);
    contentOf(await shop.ask('DELETE', `/api/v1/holds/${holdId}`, { headers }), 200, holdAnswer);
  }
});

test('[S5] [S6] the order of a hold is told again to its key, its buyer, staff and the secret, and to nobody else', async () => {
  const { holdId, secret } = await take();
  const path = `/api/v1/holds/${holdId}/confirm`;
  const confirmed = await shop.ask('POST', path, { headers: { 'hold-secret': secret! }, key: 'first' });
  contentOf(confirmed, 201, confirmedAnswer);
  const told = [
    { headers: WITHOUT, key: 'first' },
    { headers: { 'hold-secret': secret! } },
    { headers: { ...(await newKey('box-office')), ...WITHOUT } },
  ];
  for (const asking of told) assert.equal((await shop.ask('POST', path, asking)).text, confirmed.text);
  const before = await shop.everything();
  for (const asking of [{ headers: WITHOUT }, { headers: WITHOUT, key: 'other' }]) {
    readProblem(await shop.ask('POST', path, asking), 404, 'HOLD_NOT_FOUND');
  }
  const reader = { ...(await newKey('read')), ...WITHOUT };
  readProblem(await shop.ask('POST', path, { headers: reader }), 404, 'HOLD_NOT_FOUND');
  assert.equal((await shop.everything()).keptKeys, before.keptKeys);
});

/**
 * The hold's id is made at a moment that ALL_HELD used to tell to the millisecond: an attacker without credentials tries
 * all ids of about that time. Returns what was stolen.
 */
async function steal(eventId: string, headers: Readonly<Record<string, string>>): Promise<Reply[]> {
  const held = await shop.ask('POST', `/api/v1/events/${eventId}/holds`, {
    body: { lines: [{ ticketType: 'ga', quantity: 2 }] },
  });
  const { holdId: own } = (await take()) as { holdId: string };
  const node = (BigInt(own) >> 12n) & 1_023n;
  const refused = await shop.ask('POST', `/api/v1/events/${eventId}/holds`, { body: BODY });
  const told = readProblem(refused, 409, 'ALL_HELD') as { nextExpiryAt?: string };
  const nextExpiryMs = Date.parse(told.nextExpiryAt!);
  assert.equal(nextExpiryMs % 5_000, 0, 'it tells when the hold was made');
  const { expiresAt, holdId } = contentOf(held, 201, heldAnswer);
  const lapsesMs = Date.parse(expiresAt);
  assert.ok(nextExpiryMs >= lapsesMs && nextExpiryMs < lapsesMs + 5_000);
  // As if the time were still told exactly: the guard must not depend on what is not told.
  const stolen: Reply[] = [];
  let hasMet = false;
  for (let early = 0n; early < 60n; early++) {
    const id = ((BigInt(lapsesMs - 300_000) - early - BigInt(ID_EPOCH_MS)) << 22n) | (node << 12n);
    hasMet ||= String(id) === holdId;
    const reply = await shop.ask('POST', `/api/v1/holds/${id}/confirm`, { headers });
    if (reply.status === 201) stolen.push(reply);
  }
  assert.ok(hasMet, 'the id was not among those that were tried');
  return stolen;
}

test('[S6] a hold is not stolen by guessing its id from when it lapses', async () => {
  assert.deepEqual(await steal('guessed', WITHOUT), []);
  // Control: who has the secret gets it by the same guesses.
  assert.equal((await steal('known', {})).length, 1);
});

test('nobody takes a name that is earned', async () => {
  const [ann, bob] = [await newBuyer(), await newBuyer()];
  const before = await shop.everything();
  const body = { ...BODY, buyer: ann.buyer };
  for (const headers of [{}, bob.headers]) {
    readProblem(await shop.ask('POST', '/api/v1/events/1/holds', { body, headers }), 403, 'FORBIDDEN');
    readProblem(await shop.ask('POST', '/buy/1', { body: { buyer: ann.buyer }, headers }), 403, 'FORBIDDEN');
  }
  assert.deepEqual(await shop.everything(), before);
});
