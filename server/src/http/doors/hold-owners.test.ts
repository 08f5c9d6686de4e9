// Whose a hold is: that of a buyer who is known is nobody else's; to others it is not there. And so are orders.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { type Asking, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { holdAnswer } from '../../contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../contract/orders.ts';

let shop: TestShop;

before(async () => {
  shop = await openTestShop();
});
after(() => shop.close());

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
  return contentOf(reply, 201, holdAnswer);
};

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
  for (const headers of strangers) {
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
  for (const headers of [ann.headers, await newKey('box-office'), await newKey('admin')]) {
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
  readProblem(await shop.ask('GET', path, { headers: bob.headers }), 404, 'HOLD_NOT_FOUND');
});

test('a guest’s hold is that of whoever knows its id, whatever name it has', async () => {
  const named = await take({ body: { ...BODY, buyer: 'ann' } });
  const nameless = await take();
  const bob = await newBuyer();
  for (const { holdId } of [named, nameless]) {
    for (const headers of [{}, bob.headers]) {
      contentOf(await shop.ask('GET', `/api/v1/holds/${holdId}`, { headers }), 200, holdAnswer);
    }
  }
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
