// A gap must not end with the luck of who had asked before the fault, nor with an answer that is no ticket.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { SteadyBuyers } from './steady-buyers.ts';

/** A shop that answers after a time; `status` says with what. */
async function startShop(t: TestContext, answerMs: number, status: () => number): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.writeHead(status()).end(), answerMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('only a sale to who asked after the fault ends the gap', async (t) => {
  const buyers = new SteadyBuyers(await startShop(t, 100, () => 201), 5);
  await sleep(90);
  const gapMs = await buyers.nextSaleAfter(performance.now(), patienceMs(500));
  const { requests, statuses, slowestMs } = await buyers.stop();
  assert.ok(gapMs >= 99, `${gapMs} ms`);
  assert.deepEqual(statuses, { 201: requests });
  assert.ok(slowestMs >= 99, `${slowestMs} ms`);
});

test('refusals do not end the gap, and are counted', async (t) => {
  let status = 503;
  const buyers = new SteadyBuyers(await startShop(t, 1, () => status), 5);
  const recovered = setTimeout(() => {
    status = 201;
  }, 150);
  t.after(() => clearTimeout(recovered));
  const gapMs = await buyers.nextSaleAfter(performance.now(), patienceMs(500));
  const { statuses } = await buyers.stop();
  assert.ok(gapMs >= 140, `${gapMs} ms`);
  assert.ok(statuses['503']! > 0);
});

test('a gap without an end is a fault', async (t) => {
  const buyers = new SteadyBuyers(await startShop(t, 1, () => 503), 5);
  await assert.rejects(buyers.nextSaleAfter(performance.now(), 100), /nothing was sold in 100 ms/);
  await buyers.stop();
});

test('who gets no answer at all is counted as lost', async (t) => {
  const server = createServer((request) => request.socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const buyers = new SteadyBuyers((server.address() as AddressInfo).port, 5);
  await sleep(50);
  const { requests, statuses } = await buyers.stop();
  assert.ok(requests > 0);
  assert.deepEqual(statuses, { lost: requests });
});
