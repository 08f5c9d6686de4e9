// The readings of both tools, from the words of the tools themselves, against a server that counts.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { findLoadTool, parseAutocannon, parseWrk } from './load-tool.ts';

test('wrk is read from its line of JSON: microseconds become milliseconds, four kinds of failure one number', () => {
  const read = parseWrk(
    'Running 2s test @ http://127.0.0.1:1\n  1 threads and 64 connections\n' +
      '{"requests":90000,"durationUs":1500000,"refused":7,"connect":1,"read":2,"write":3,"timeout":4,' +
      '"p50":500,"p90":900,"p99":1250,"p999":3000,"max":9001}\n',
  );
  assert.deepEqual(read, {
    requests: 90_000,
    perSecond: 60_000,
    refused: 7,
    errors: 10,
    latencyMs: { p50: 0.5, p90: 0.9, p99: 1.25, p999: 3, max: 9.001 },
  });
});

test('wrk without its line of JSON is a fault, not a rate of zero', () => {
  assert.throws(
    () => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'),
    /nothing that was measured/,
  );
});

test('autocannon is read from its report: refused are the answers from 400 on', () => {
  const read = parseAutocannon(
    JSON.stringify({
      duration: 2.5,
      requests: { total: 100_000 },
      latency: { p50: 1, p90: 2, p99: 3, p99_9: 4, max: 5 },
      '4xx': 20,
      '5xx': 1,
      errors: 6,
      timeouts: 6,
    }),
  );
  assert.equal(read.perSecond, 40_000);
  assert.equal(read.refused, 21);
  assert.equal(read.errors, 6);
  assert.deepEqual(read.latencyMs, { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 });
});

test('the tool of this machine sends the request it is given and reports what the server counted', async () => {
  const seen = { right: 0, wrong: 0 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      const json = request.headers['content-type'] === 'application/json';
      if (request.method === 'POST' && request.url === '/buy/1' && json && body === '{"quantity":1}')
        seen.right++;
      else seen.wrong++;
      response.writeHead(seen.right % 2 === 0 ? 409 : 201).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections = 4;
  const tool = await findLoadTool();
  const result = await tool.run({
    port: (server.address() as AddressInfo).port,
    connections,
    seconds: 1,
    request: { method: 'POST', path: '/buy/1', body: '{"quantity":1}' },
  });
  server.close();

  assert.equal(seen.wrong, 0);
  assert.equal(result.errors, 0);
  assert.ok(result.requests > 0);
  // What was under way when the time was up, the server has seen and the tool has not counted.
  assert.ok(
    seen.right >= result.requests && seen.right <= result.requests + 2 * connections,
    `${seen.right}`,
  );
  assert.ok(Math.abs(result.refused - result.requests / 2) <= connections, `${result.refused} refused`);
});
