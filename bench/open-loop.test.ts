// An open loop must count all waiting: a server that stalls must show in the percentiles, in proportion to how many
// buyers would have come meanwhile. And what is not answered must never make the figures better.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { type OpenLoopOptions, type OpenLoopResult, runOpenLoop } from './open-loop.ts';
import { requestText } from './raw-client.ts';

const BASE = { ratePerSecond: 400, seconds: 0.5, connections: 8, drainMs: patienceMs(300) };

async function arriveAt(
  answer: RequestListener,
  options: Partial<OpenLoopOptions> = {},
): Promise<OpenLoopResult> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await runOpenLoop({ ...BASE, port, request: requestText('POST', '/buy/1', {}, '{}'), ...options });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const answerNow: RequestListener = (request, response) => {
  request.resume().on('end', () => response.writeHead(201, { 'content-length': 2 }).end('{}'));
};

test('every arrival is sent and answered, at the offered rate', async () => {
  let seen = 0;
  const result = await arriveAt((request, response) => {
    seen++;
    answerNow(request, response);
  });
  assert.equal(seen, 200);
  assert.equal(result.requests, 200);
  assert.equal(result.errors, 0);
  assert.deepEqual(result.statuses, { 201: 200 });
  assert.ok(result.answeredPerSecond < 450, `sent faster than offered: ${result.answeredPerSecond}/s`);
});

test('a stall of 200 ms is counted for all who arrive meanwhile, not only for those already connected', async () => {
  let stallUntilMs = 0;
  const stall: RequestListener = (request, response) => {
    if (stallUntilMs === 0) stallUntilMs = performance.now() + 200;
    const leftMs = Math.max(0, stallUntilMs - performance.now());
    setTimeout(() => answerNow(request, response), leftMs);
  };
  const result = await arriveAt(stall);
  // 80 of 200 arrivals fall into the stall, but eight connections are all that a closed loop would ever count.
  assert.ok(result.latencyMs.p90 > 100, `p90 ${result.latencyMs.p90} ms`);
  assert.ok(result.latencyMs.max >= 195, `max ${result.latencyMs.max} ms`);
  assert.ok(result.waited > 40, `${result.waited} waited for a connection`);
  assert.equal(result.errors, 0);
});

test('requests that are never answered are errors, and count as having waited to the end', async () => {
  const result = await arriveAt(() => {}, { seconds: 0.1, drainMs: 100 });
  assert.equal(result.requests, 40);
  assert.equal(result.errors, 40);
  assert.ok(result.latencyMs.p50 >= 100, `p50 ${result.latencyMs.p50} ms`);
});

test('a connection that is cut is one error, and the arrivals after it are served on a new one', async () => {
  let seen = 0;
  const result = await arriveAt((request, response) => {
    seen++;
    if (seen === 50) request.socket.destroy();
    else answerNow(request, response);
  });
  assert.equal(result.errors, 1);
  assert.deepEqual(result.statuses, { 201: 199 });
});

test('a connection that the server closes after an answer is replaced without an error', async () => {
  // Slow enough for each close to be seen before the connection's turn comes again.
  const pace = { ratePerSecond: 40 / SLOWNESS, seconds: 0.5 * SLOWNESS, connections: 12 };
  const result = await arriveAt((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-length': 2, connection: 'close' }).end('{}');
    });
  }, pace);
  assert.equal(result.errors, 0);
  assert.deepEqual(result.statuses, { 200: 20 });
});
