// The log of the real program: what stands in it, what never does, and that no reader of it can stop a sale
// (mission row A7).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { madeKeyAnswer, sessionAnswer } from '../../src/contract/access.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { defaultEventAnswer } from '../../src/contract/events.ts';
import { heldAnswer } from '../../src/contract/holds.ts';
import { confirmedAnswer, orderAnswer } from '../../src/contract/orders.ts';
import { contentOf, readProblem } from '../kit/answers.ts';
import { tokenOf } from '../kit/forge.ts';
import { Program, scriptFile, temporaryFolder } from '../kit/program.ts';
import { JWT_SECRET } from '../kit/server-process.ts';
import { ask } from '../kit/test-shop.ts';

const KEY = 'log-test-key-0123456789';

const buy = async (port: number) => contentOf(await ask(port, 'POST', '/buy/1'), 201, boughtAnswer);

describe('the log', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  test('[A7] in production standard output is the log alone, one JSON object a line, one line a purchase', async (t) => {
    const shop = await Program.open(t, {
      folder: temporaryFolder(t),
      env: { NODE_ENV: 'production', API_KEY: KEY, JWT_SECRET, SEED_TICKETS: '2' },
    });
    const order = await buy(shop.port);
    await buy(shop.port);
    readProblem(await ask(shop.port, 'POST', '/buy/1'), 409, 'SOLD_OUT');
    readProblem(await ask(shop.port, 'POST', '/buy/no%0aline'), 404, 'EVENT_NOT_FOUND');
    shop.child.kill('SIGTERM');
    assert.equal((await shop.ended).code, 0);
    assert.equal(shop.log.length, shop.stdout.split('\n').length - 1, shop.stdout);
    const granted = shop.log.find((line) => line.orderId === order.orderId);
    assert.equal(granted?.msg, 'granted');
    assert.deepEqual(
      [granted?.operation, granted?.eventId, granted?.ledgerSeq],
      ['buy', '1', order.ledgerSeq],
    );
    for (const line of shop.log) assert.match(String(line.time), /^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    const refusals = shop.log.filter(({ msg }) => msg === 'refused').map(({ error }) => error);
    assert.deepEqual(refusals, ['SOLD_OUT', 'EVENT_NOT_FOUND']);
    assert.equal(shop.log.at(-1)?.msg, 'closed: everything answered is in the ledger');
  });

  test('at its most talkative the log holds neither the admin key nor the secret of an order', async (t) => {
    const shop = await Program.open(t, { folder: temporaryFolder(t), env: { LOG_LEVEL: 'trace' } });
    const [, key = ''] = await shop.saying(/admin key {3}([\w-]{24}) /);
    const { port } = shop;
    const authorization = `Bearer ${key}`;
    const bought = await buy(port);
    const lines = [{ ticketType: 'ga', quantity: 1 }];
    const held = await ask(port, 'POST', '/api/v1/events/1/holds', { body: { lines } });
    const { holdId } = contentOf(held, 201, heldAnswer);
    const confirmed = await ask(port, 'POST', `/api/v1/holds/${holdId}/confirm`, { key: 'a' });
    const orders = [bought, contentOf(confirmed, 201, confirmedAnswer)];
    for (const { orderId, secret } of orders) {
      const path = `/api/v1/orders/${orderId}`;
      contentOf(await ask(port, 'GET', `${path}?secret=${secret}`), 200, orderAnswer);
      const headers = { 'order-secret': secret };
      contentOf(await ask(port, 'GET', path, { headers }), 200, orderAnswer);
      // Where a secret has no business: another order, another address, another method, a body that is refused.
      readProblem(await ask(port, 'GET', `/api/v1/orders/1?secret=${secret}`), 404, 'ORDER_NOT_FOUND');
      readProblem(await ask(port, 'GET', `/nowhere?secret=${secret}`), 404, 'NOT_FOUND');
      readProblem(await ask(port, 'POST', `${path}?secret=${secret}`), 405, 'METHOD_NOT_ALLOWED');
      const body = { quantity: secret, secret };
      readProblem(await ask(port, 'POST', '/buy/1', { body }), 400, 'VALIDATION_FAILED');
    }
    for (const path of ['/api/v1/events/1/audit', '/api/v1/events/1/journal', '/api/v1/events/1/orders']) {
      assert.equal((await ask(port, 'GET', path, { headers: { authorization } })).status, 200);
      assert.equal((await ask(port, 'GET', `${path}?key=${key}`)).status, 401);
    }
    shop.child.kill('SIGTERM');
    assert.equal((await shop.ended).code, 0);
    assert.ok(shop.log.some(({ level, operation }) => level === 'debug' && operation === 'read-order'));
    const text = shop.log.map((line) => JSON.stringify(line)).join('\n') + shop.stderr;
    for (const secret of [key, ...orders.map((order) => order.secret)]) assert.ok(!text.includes(secret));
  });

  test('[D9] the log says which of the staff did it, and holds no key, token or cookie, good or bad', async (t) => {
    const env = { LOG_LEVEL: 'trace', API_KEY: KEY, JWT_SECRET };
    const shop = await Program.open(t, { folder: temporaryFolder(t), env });
    const { port } = shop;
    const boss = tokenOf('jane', { role: 'admin' });
    const bearer = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } });
    const body = { name: 'Gate 4', role: 'door' };
    const made = await ask(port, 'POST', '/api/v1/api-keys', { ...bearer(boss), body });
    const { key, keyId } = contentOf(made, 201, madeKeyAnswer);
    const session = await ask(port, 'POST', '/api/v1/sessions');
    const { token } = contentOf(session, 201, sessionAnswer);
    const bad = [tokenOf('eve', { exp: 1 }), `${key}x`, `${token}x`, `${KEY}x`];
    for (const credential of [boss, key, token, KEY, ...bad]) {
      await ask(port, 'GET', '/api/v1/me', bearer(credential));
      await ask(port, 'POST', '/buy/1', bearer(credential));
      await ask(port, 'GET', '/api/v1/events/1/audit', bearer(credential));
      await ask(port, 'POST', '/buy/1', { headers: { cookie: `floodgate_session=${credential}` } });
      await ask(port, 'DELETE', `/api/v1/api-keys/${credential}`, bearer(boss));
    }
    await ask(port, 'DELETE', `/api/v1/api-keys/${keyId}`, bearer(key));
    shop.child.kill('SIGTERM');
    assert.equal((await shop.ended).code, 0);
    const making = shop.log.find(({ operation }) => operation === 'make-key');
    assert.deepEqual([making?.msg, making?.by, making?.keyId], ['granted', 'user jane', keyId]);
    const attempt = shop.log.findLast(({ operation }) => operation === 'revoke-key');
    assert.deepEqual([attempt?.msg, attempt?.by], ['refused', `key ${keyId} Gate 4`]);
    const text = shop.stdout + shop.stderr;
    for (const secret of [boss, key, token, KEY, JWT_SECRET, ...bad])
      assert.ok(!text.includes(secret), secret);
  });

  test('[B8] a reader of the log who stands still stops neither sales nor the end', async (t) => {
    const folder = temporaryFolder(t);
    const shop = await Program.open(t, { folder, env: { API_KEY: KEY, SEED_EVENTS: '1' } });
    shop.child.stdout!.pause();
    // Far more than the pipe holds: refusals name what was asked for.
    const unknown = `/buy/${'x'.repeat(5_000)}`;
    for (let i = 0; i < 4; i++) {
      const replies = Array.from({ length: 100 }, () => ask(shop.port, 'POST', '/buy/1'));
      for (const { status } of await Promise.all(replies)) assert.equal(status, 201);
      const refusals = Array.from({ length: 100 }, () => ask(shop.port, 'POST', unknown));
      for (const { status } of await Promise.all(refusals)) assert.equal(status, 404);
    }
    shop.child.kill('SIGTERM');
    const [code] = (await once(shop.child, 'exit')) as [number | null];
    assert.equal(code, 0);
    shop.child.stdout!.destroy();
    const again = await Program.open(t, { folder, env: { API_KEY: KEY } });
    const { seatsSold } = contentOf(await ask(again.port, 'GET', '/api/v1/event'), 200, defaultEventAnswer);
    assert.equal(seatsSold, 400);
  });

  test('a log on a full disk stops no sale', async (t) => {
    if (!existsSync('/dev/full')) return t.skip('there is no /dev/full here');
    const full = openSync('/dev/full', 'w');
    const folder = temporaryFolder(t);
    const env = {
      API_KEY: KEY,
      HOST: '127.0.0.1',
      PORT: `${await freePort()}`,
      NODE_ENV: 'production',
      JWT_SECRET,
    };
    const child = spawn(process.execPath, [scriptFile('main.ts')], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', full, 'pipe'],
    });
    t.after(() => void child.kill('SIGKILL'));
    for (const giveUpMs = performance.now() + patienceMs(2_000); performance.now() < giveUpMs; ) {
      const reply = await ask(Number(env.PORT), 'GET', '/health/ready').catch(() => undefined);
      if (reply?.status === 200) break;
      await sleep(50);
    }
    for (let i = 0; i < 3; i++) {
      await buy(Number(env.PORT));
      await sleep(150);
    }
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    closeSync(full);
    assert.equal(code, 0);
  });

  test('a reader of the log who goes away stops no sale', async (t) => {
    const shop = await Program.open(t, { folder: temporaryFolder(t), env: { API_KEY: KEY } });
    shop.child.stdout!.destroy();
    for (let i = 0; i < 3; i++) {
      await buy(shop.port);
      await sleep(150);
    }
    shop.child.kill('SIGTERM');
    assert.equal((await shop.ended).code, 0);
    assert.equal(shop.stderr, '');
  });
});

/** A port that nobody listens on, a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
