// When and to whom an event sells, through the doors: what staff change counts from their answer on, for holds that are
// there already too; and limits per buyer hold over all that a buyer has (rule S8).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { contentOf, readProblem } from '../../../test/kit/answers.ts';
import { type Asking, eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { availabilityAnswer } from '../../contract/events.ts';
import { heldAnswer, holdAnswer } from '../../contract/holds.ts';
import { confirmedAnswer } from '../../contract/orders.ts';

let shop: TestShop;

before(async () => {
  const limited = eventOf('limited', { ga: 100, vip: 100 });
  const [ga, vip] = limited.ticketTypes;
  shop = await openTestShop({
    events: [
      eventOf('gala', { ga: 100 }),
      { ...eventOf('later', { ga: 10 }), status: 'scheduled', onSaleAt: '2099-01-01T12:00:00+02:00' },
      { ...eventOf('over', { ga: 10 }), endsAt: '2020-01-01T12:00:00Z' },
      { ...eventOf('presale', { ga: 10 }), ticketTypes: [{ ...ga!, accessCode: 'TIDE' }] },
      { ...eventOf('groups', { ga: 40 }), ticketTypes: [{ ...ga!, minPerOrder: 4, maxPerOrder: 12 }] },
      {
        ...limited,
        limitPerBuyer: 6,
        holdsPerBuyer: 3,
        ticketTypes: [{ ...ga!, limitPerBuyer: 4 }, vip!],
      },
    ],
  });
});
after(() => shop?.close());

const lines = (quantity: number, ticketType = 'ga', accessCode?: string) => ({
  lines: [{ ticketType, quantity, accessCode }],
});
const hold = (eventId: string, body: object, asking: Asking = {}) =>
  shop.ask('POST', `/api/v1/events/${eventId}/holds`, { body, ...asking });
const held = async (eventId: string, body: object, asking: Asking = {}) =>
  contentOf(await hold(eventId, body, asking), 201, heldAnswer);
const buy = (eventId: string, body: object = {}, asking: Asking = {}) =>
  shop.ask('POST', `/buy/${eventId}`, { body, ...asking });
async function command(eventId: string, name: string): Promise<void> {
  const reply = await shop.ask('POST', `/api/v1/events/${eventId}/${name}`, { asStaff: true });
  assert.ok(reply.status < 300, reply.text);
}
async function newBuyer(): Promise<Asking> {
  const { token } = (await shop.ask('POST', '/api/v1/sessions')).body as { token: string };
  return { headers: { authorization: `Bearer ${token}` } };
}

describe('when an event sells', () => {
  test('before its time it says when that is, and under a key always the same', async () => {
    const before = await shop.everything();
    for (const reply of [await buy('later'), await hold('later', lines(1))]) {
      const { onSaleAt, detail } = readProblem(reply, 409, 'NOT_ON_SALE');
      assert.equal(onSaleAt, '2099-01-01T10:00:00.000Z');
      assert.match(detail, /begins at 2099-01-01T10:00:00\.000Z/);
    }
    assert.equal(readProblem(await buy('over'), 409, 'NOT_ON_SALE').onSaleAt, undefined);
    assert.deepEqual(await shop.everything(), before);
    const asking = { key: 'too-early', headers: { 'x-request-id': 'same' } };
    const keyed = await buy('later', {}, asking);
    await command('later', 'open');
    assert.equal((await buy('later', {}, asking)).text, keyed.text);
    contentOf(await buy('later'), 201, boughtAnswer);
  });

  test('[S5] a pause answers replays of what was sold before it with the sale', async () => {
    const asking = { key: 'sold-before', headers: { 'x-request-id': 'same' } };
    const sold = await buy('gala', { quantity: 2 }, asking);
    contentOf(sold, 201, boughtAnswer);
    await command('gala', 'pause');
    assert.equal((await buy('gala', { quantity: 2 }, asking)).text, sold.text);
    readProblem(await buy('gala', { quantity: 2 }), 409, 'NOT_ON_SALE');
    await command('gala', 'resume');
  });

  test('[S6] a pause stops holds from becoming orders, not from being extended or given back', async () => {
    const [one, other, done] = [
      await held('gala', lines(1)),
      await held('gala', lines(1)),
      await held('gala', lines(1)),
    ];
    const confirm = (holdId: string) => shop.ask('POST', `/api/v1/holds/${holdId}/confirm`);
    const confirmed = await confirm(done.holdId);
    await command('gala', 'pause');
    const before = await shop.everything();
    readProblem(await confirm(one.holdId), 409, 'NOT_ON_SALE');
    assert.equal((await confirm(done.holdId)).text, confirmed.text, 'what was sold stays sold');
    assert.deepEqual(await shop.everything(), before);
    const extended = await shop.ask('POST', `/api/v1/holds/${one.holdId}/extend`);
    contentOf(extended, 200, holdAnswer);
    contentOf(await shop.ask('DELETE', `/api/v1/holds/${other.holdId}`), 200, holdAnswer);
    await command('gala', 'resume');
    contentOf(await confirm(one.holdId), 201, confirmedAnswer);
  });

  test('a pause and a resume while many buy lose nobody’s ticket and sell none while paused', async () => {
    let isOver = false;
    const sales: { sentMs: number; toldMs: number; status: number }[] = [];
    const buyers = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const sentMs = performance.now();
        const { status, text } = await buy('1');
        sales.push({ sentMs, toldMs: performance.now(), status });
        assert.ok(status === 201 || status === 409, text);
      }
    });
    const pauses: [number, number][] = [];
    for (let round = 0; round < 5; round++) {
      await command('1', 'pause');
      const pausedMs = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 30));
      pauses.push([pausedMs, performance.now()]);
      await command('1', 'resume');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    isOver = true;
    await Promise.all(buyers);
    const wrong = sales.filter(
      ({ sentMs, toldMs, status }) =>
        status === 201 && pauses.some(([fromMs, toMs]) => sentMs > fromMs && toldMs < toMs),
    );
    assert.deepEqual(wrong, []);
    const { ok } = (await shop.ask('GET', '/api/v1/events/1/audit', { asStaff: true })).body as {
      ok: boolean;
    };
    assert.ok(ok);
  });
});

describe('to whom an event sells', () => {
  test('a presale wants its code, in one step and in two', async () => {
    const before = await shop.everything();
    for (const code of [undefined, 'tide', 'TIDES']) {
      readProblem(await hold('presale', lines(1, 'ga', code)), 403, 'ACCESS_CODE_REQUIRED');
      readProblem(await buy('presale', { accessCode: code }), 403, 'ACCESS_CODE_REQUIRED');
    }
    assert.deepEqual(await shop.everything(), before);
    await held('presale', lines(1, 'ga', 'TIDE'));
    const bought = await buy('presale', { accessCode: 'TIDE' });
    contentOf(bought, 201, boughtAnswer);
    assert.doesNotMatch(bought.text, /TIDE/);
    const shown = await shop.ask('GET', '/api/v1/events/presale');
    assert.doesNotMatch(shown.text, /TIDE/);
  });

  test('[S5] what is missing may be brought under the same key, and what was sold before is answered without it', async () => {
    const key = 'forgot-the-code';
    readProblem(await hold('presale', lines(1), { key }), 403, 'ACCESS_CODE_REQUIRED');
    const held = await hold('presale', lines(1, 'ga', 'TIDE'), { key });
    contentOf(held, 201, heldAnswer);
    assert.equal((await hold('presale', lines(1, 'ga', 'TIDE'), { key })).text, held.text);
    readProblem(await hold('presale', lines(1), { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
  });

  test('an order has neither too few nor too many tickets', async () => {
    const before = await shop.everything();
    const few = readProblem(await buy('groups', { quantity: 3 }), 409, 'BELOW_MINIMUM');
    assert.deepEqual([few.perOrder, few.detail], [4, 'An order has at least 4 tickets of this type.']);
    const line = { ticketType: 'ga', quantity: 7 };
    const many = readProblem(await hold('groups', { lines: [line, line] }), 409, 'LIMIT_REACHED');
    assert.equal(many.perOrder, 12);
    assert.deepEqual(await shop.everything(), before);
    await held('groups', { lines: [line, { ...line, quantity: 5 }] });
  });
});

describe('[S8] limits per buyer', () => {
  test('need a buyer', async () => {
    const before = await shop.everything();
    readProblem(await buy('limited'), 401, 'BUYER_REQUIRED');
    readProblem(await hold('limited', lines(1)), 401, 'BUYER_REQUIRED');
    assert.deepEqual(await shop.everything(), before);
  });

  test('count orders and holds together, and what is given back no more', async () => {
    const ann = await newBuyer();
    contentOf(await buy('limited', { quantity: 2 }, ann), 201, boughtAnswer);
    const hold1 = await held('limited', lines(2), ann);
    const before = await shop.everything();
    readProblem(await buy('limited', {}, ann), 409, 'LIMIT_REACHED');
    readProblem(await hold('limited', lines(1), ann), 409, 'LIMIT_REACHED');
    // Two more of the other type make six of the event.
    const both = { lines: [...lines(1).lines, ...lines(1, 'vip').lines] };
    readProblem(await hold('limited', both, ann), 409, 'LIMIT_REACHED');
    readProblem(await buy('limited', { ticketType: 'vip', quantity: 3 }, ann), 409, 'LIMIT_REACHED');
    assert.deepEqual(await shop.everything(), before);
    contentOf(await buy('limited', { ticketType: 'vip', quantity: 2 }, ann), 201, boughtAnswer);
    await shop.ask('DELETE', `/api/v1/holds/${hold1.holdId}`, ann);
    contentOf(await buy('limited', { quantity: 2 }, ann), 201, boughtAnswer);
    readProblem(await buy('limited', {}, ann), 409, 'LIMIT_REACHED');
    contentOf(await buy('limited', { quantity: 4 }, await newBuyer()), 201, boughtAnswer);
  });

  test('count holds at a time', async () => {
    const ann = await newBuyer();
    const [first] = [await held('limited', lines(1), ann), await held('limited', lines(1), ann)];
    await held('limited', lines(1), ann);
    readProblem(await hold('limited', lines(1), ann), 409, 'LIMIT_REACHED');
    const confirmed = await shop.ask('POST', `/api/v1/holds/${first.holdId}/confirm`, ann);
    contentOf(confirmed, 201, confirmedAnswer);
    await held('limited', lines(1), ann);
  });

  test('hold when a hundred requests of one buyer come at once, in one step and in two', async () => {
    const ann = await newBuyer();
    const asked = Array.from({ length: 100 }, (_, n) =>
      n % 2 === 0 ? buy('limited', {}, ann) : hold('limited', lines(1), ann),
    );
    const replies = await Promise.all(asked);
    assert.equal(replies.filter(({ status }) => status === 201).length, 4);
    for (const reply of replies.filter(({ status }) => status !== 201)) {
      readProblem(reply, 409, 'LIMIT_REACHED');
    }
    const left = await shop.ask('GET', '/api/v1/events/limited/availability');
    const { pending } = contentOf(left, 200, availabilityAnswer);
    assert.equal(pending, 0);
  });

  test('are refused under a key as they were refused first', async () => {
    const ann = await newBuyer();
    const full = await held('limited', lines(4), ann);
    const asking = { ...ann, key: 'one-more', headers: { ...ann.headers, 'x-request-id': 'same' } };
    const refused = await hold('limited', lines(1), asking);
    readProblem(refused, 409, 'LIMIT_REACHED');
    await shop.ask('DELETE', `/api/v1/holds/${full.holdId}`, ann);
    assert.equal((await hold('limited', lines(1), asking)).text, refused.text);
    await held('limited', lines(1), ann);
  });
});
