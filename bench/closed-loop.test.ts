// A bounded load must send exactly what it was told, and end, also when the server does not play along.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import {
  type ClosedLoopOptions,
  type ClosedLoopResult,
  renderRequests,
  runClosedLoop,
} from './closed-loop.ts';
import { requestText } from './raw-client.ts';

const BASE = { requests: 100, connections: 10, timeoutMs: patienceMs(1_000) };

async function load(
  answer: RequestListener,
  options: Partial<ClosedLoopOptions> = {},
): Promise<ClosedLoopResult> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = requestText('POST', '/buy/{event}', { 'Idempotency-Key': 'k-{n}' }, '{}');
  try {
    return await runClosedLoop({ ...BASE, port, request, ...options });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('every request is sent once, each with a number of its own', async () => {
  const keys: unknown[] = [];
  const result = await load((request, response) => {
    keys.push(request.headers['idempotency-key']);
    request.resume().on('end', () => response.writeHead(200, { 'content-length': 0 }).end());
  });
  assert.equal(keys.length, 100);
  assert.equal(new Set(keys).size, 100);
  assert.equal(result.errors, 0);
  assert.deepEqual(result.statuses, { 200: 100 });
});

test('answers are told apart by status, and lost ones are errors', async () => {
  let seen = 0;
  const result = await load((request, response) => {
    seen++;
    if (seen === 20) return void request.socket.destroy();
    request.resume().on('end', () => response.writeHead(seen % 2 ? 201 : 409, { 'content-length': 0 }).end());
  });
  assert.equal(result.errors, 1);
  assert.equal((result.statuses['201'] ?? 0) + (result.statuses['409'] ?? 0), 99);
});

test('a server that never answers, and one that hangs up on everybody, both end the load', async () => {
  const silent = await load(() => {}, { timeoutMs: 100 });
  assert.equal(silent.errors, 100);
  const rude = await load((request) => request.socket.destroy());
  assert.equal(rude.errors, 100);
  assert.ok(rude.wallMs < BASE.timeoutMs, 'waited for its timeout although every connection was gone');
});

test('as many requests as events visit every event once', () => {
  const paths = renderRequests('GET /{event}', 1_000, 1_000).map(String);
  assert.equal(new Set(paths).size, 1_000);
  assert.ok(paths.includes('GET /1') && paths.includes('GET /1000'));
});

test('JSON braces in a request are no placeholders', () => {
  assert.deepEqual(renderRequests('{"quantity":1}', 2, 1).map(String), ['{"quantity":1}', '{"quantity":1}']);
});
