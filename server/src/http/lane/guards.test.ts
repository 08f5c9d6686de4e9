// Guards run before the body is read, in order, on either lane; and a body arrives as the kind that its operation takes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { exchange, RawConnection, requestText } from '../../../test/kit/raw-http.ts';
import { LANES, openTestDoors, type TestDoors, until } from '../../../test/kit/test-doors.ts';
import type { Guard, RequestHead } from './guards.ts';
import { type Operation, operation } from './operation.ts';
import { problem } from './problem.ts';

/** Here the lane is asked, not what doors declare. */
const ANSWERS = { 200: z.unknown() };

const MAX_BYTES = 1_048_576;
const passing: Guard = () => undefined;
const passingLater: Guard = async () => undefined;
const refusing: Guard = ({ requestId }) => problem('FORBIDDEN', requestId, { retryAfterMs: 1_500 });
const refusingLater: Guard = async (head) => refusing(head);

/** What came to guards and operations, in order. */
const trail: string[] = [];
let lastHead: RequestHead | undefined;

const marked =
  (name: string, guard: Guard): Guard =>
  (head) => {
    trail.push(name);
    lastHead = head;
    return guard(head);
  };

const echo = (name: string, guards: readonly Guard[]): Operation =>
  operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name, method: 'POST', path: `/${name}/:id`, isHot: true, guards, maxBodyBytes: MAX_BYTES },
    answers: ANSWERS,
    input: z.object({ params: z.object({ id: z.string() }), body: z.unknown() }),
    run({ input }) {
      trail.push('run');
      return { kind: 'json', status: 200, body: input };
    },
  });

const OPERATIONS: readonly Operation[] = [
  echo('open', []),
  echo('passed', [marked('first', passing), marked('second', passingLater), marked('third', passing)]),
  echo('refused', [marked('first', passing), marked('second', refusing), marked('third', passing)]),
  echo('refused-later', [marked('first', passingLater), marked('second', refusingLater)]),
  echo('broken', [
    () => {
      throw new Error('this guard fails on purpose');
    },
  ]),
  echo('broken-later', [() => Promise.reject(new Error('this guard fails on purpose'))]),
  operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name: 'staff', method: 'POST', path: '/staff/:id', isHot: true, isStaff: true },
    ...{ guards: [marked('after the roles', passing)], answers: ANSWERS, input: z.object({}) },
    run: () => ({ kind: 'json', status: 200, body: {} }),
  }),
  operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name: 'raw', method: 'POST', path: '/raw/:id', isHot: true, body: 'raw' },
    ...{ takes: ['application/json'], answers: ANSWERS, input: z.object({ body: z.instanceof(Buffer) }) },
    run: ({ input: { body } }) => ({
      ...{ kind: 'json', status: 200 },
      body: { bytes: body.length, digest: createHash('sha256').update(body).digest('hex') },
    }),
  }),
  operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name: 'text', method: 'POST', path: '/text/:id', isHot: true, body: 'text' },
    ...{
      takes: ['text/csv', 'application/json'],
      answers: ANSWERS,
      input: z.object({ body: z.string().optional() }),
    },
    run: ({ input }) => ({ kind: 'json', status: 200, body: input }),
  }),
  operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name: 'none', method: 'POST', path: '/none/:id', isHot: true, body: 'none' },
    ...{ answers: ANSWERS, input: z.object({ body: z.undefined() }) },
    run: () => ({ kind: 'json', status: 200, body: 'done' }),
  }),
];

for (const [lane, hasFrontLane] of LANES) {
  describe(lane, () => {
    let server: TestDoors;
    /** Of the latest request, as Node has it. */
    let seen: IncomingMessage;
    before(async () => {
      server = await openTestDoors(OPERATIONS, hasFrontLane, ({ bearer }) =>
        bearer === 'staff' ? { kind: 'staff', role: 'admin', name: 'ann' } : { kind: 'buyer', buyer: 'bob' },
      );
      server.onRequest((req) => {
        seen = req;
      });
    });
    after(() => server?.close());
    const post = (path: string, body = '{}', headers = {}) =>
      exchange(server.port, requestText('POST', path, { body, headers }));

    test('guards run in order and let pass, at once or later', async () => {
      trail.length = 0;
      const { status, body } = await post('/passed/7?x=1', '{"a":1}', { 'X-Pass': 'p' });
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(body), { params: { id: '7' }, body: { a: 1 } });
      assert.deepEqual(trail, ['first', 'second', 'third', 'run']);
      assert.equal(lastHead?.params.id, '7');
      assert.equal(lastHead?.address, '127.0.0.1');
      assert.equal(lastHead?.header('x-pass'), 'p');
    });

    for (const name of ['refused', 'refused-later']) {
      test(`the first refusal is the answer, and nothing runs after it: ${name}`, async () => {
        trail.length = 0;
        const { status, headers, body } = await post(`/${name}/7`, '{');
        assert.equal(status, 403, body);
        assert.equal(headers['retry-after'], '2');
        assert.equal(JSON.parse(body).error, 'FORBIDDEN');
        assert.deepEqual(trail, ['first', 'second']);
      });

      test(`a refused body is never read, however large or slow it is: ${name}`, async () => {
        const bodies = {
          'announced and large': { 'Content-Length': `${MAX_BYTES}` },
          'larger than is taken': { 'Content-Length': `${64 * MAX_BYTES}` },
          'without an end': { 'Transfer-Encoding': 'chunked' },
        };
        for (const [what, headers] of Object.entries(bodies)) {
          const connection = new RawConnection(server.port);
          // Not one byte of the body is sent: who waited for it would never answer.
          connection.send(requestText('POST', `/${name}/7`, { headers }));
          assert.equal((await connection.answer()).status, 403, what);
          assert.equal(seen.listenerCount('data'), 0, `${what}: somebody listens to the body`);
          connection.socket.destroy();
        }
      });

      test(`the connection of a refused body goes on with the next request: ${name}`, async () => {
        const connection = new RawConnection(server.port);
        connection.send(requestText('POST', `/${name}/7`, { headers: { 'Content-Length': '60000' } }));
        assert.equal((await connection.answer()).status, 403);
        // Were the body taken for requests, this would sell something.
        const smuggled = requestText('POST', '/open/1', { body: '{}' });
        connection.send(smuggled.repeat(1_000).slice(0, 60_000));
        trail.length = 0;
        connection.send(requestText('POST', '/open/2', { body: '{"b":2}' }));
        const answers = await connection.answers(2);
        assert.deepEqual(
          answers.map(({ status }) => status),
          [403, 200],
        );
        assert.deepEqual(JSON.parse(answers[1]!.body), { params: { id: '2' }, body: { b: 2 } });
        assert.deepEqual(trail, ['run']);
        connection.socket.destroy();
      });
    }

    test('without the guard the same request is read, and waits for its body: the control', async () => {
      const connection = new RawConnection(server.port);
      connection.send(requestText('POST', '/open/7', { headers: { 'Content-Length': '2' } }));
      await until(() => seen?.url === '/open/7' && seen.listenerCount('data') > 0, 'the body to be read');
      assert.equal(connection.text, '');
      connection.socket.destroy();
      assert.equal((await post('/open/7', ' '.repeat(MAX_BYTES + 1))).status, 413);
    });

    test('a guard that fails is a fault, not a pass', async () => {
      trail.length = 0;
      for (const name of ['broken', 'broken-later']) {
        const { status, body } = await post(`/${name}/7`);
        assert.deepEqual([status, JSON.parse(body).error], [500, 'INTERNAL_ERROR']);
      }
      assert.deepEqual(trail, []);
    });

    test('the roles are the first guard', async () => {
      trail.length = 0;
      assert.equal((await post('/staff/7')).status, 401);
      assert.equal((await post('/staff/7', '{}', { Authorization: 'Bearer buyer' })).status, 403);
      assert.deepEqual(trail, []);
      assert.equal((await post('/staff/7', '{}', { Authorization: 'Bearer staff' })).status, 200);
      assert.deepEqual(trail, ['after the roles']);
    });

    test('a raw body arrives byte for byte, in pieces too', async () => {
      const body = '{ "amount":1.0,\n"id" : "\u00e9" }';
      const digest = createHash('sha256').update(body).digest('hex');
      const whole = await post('/raw/7', body);
      assert.deepEqual(JSON.parse(whole.body), { bytes: Buffer.byteLength(body), digest });
      const connection = new RawConnection(server.port);
      const bytes = Buffer.from(requestText('POST', '/raw/7', { body }));
      connection.send(bytes.subarray(0, -5));
      await until(() => seen.url === '/raw/7' && seen.listenerCount('data') > 0, 'the first piece');
      connection.send(bytes.subarray(-5));
      assert.deepEqual(JSON.parse((await connection.answer()).body).digest, digest);
      connection.socket.destroy();
      const notText = Buffer.concat([
        Buffer.from(requestText('POST', '/raw/7', { body: '12' }).slice(0, -2)),
        Buffer.from([0xff, 0x00]),
      ]);
      assert.equal(JSON.parse((await exchange(server.port, notText)).body).bytes, 2);
      assert.equal((await post('/raw/7', body, { 'Content-Type': 'text/plain' })).status, 415);
      assert.equal((await post('/raw/7', 'x'.repeat(16_385))).status, 413);
      assert.equal(JSON.parse((await post('/raw/7', '')).body).bytes, 0);
    });

    test('a text body arrives as text, of the types that are taken', async () => {
      const csv = { 'Content-Type': 'text/csv; charset=utf-8' };
      assert.deepEqual(JSON.parse((await post('/text/7', 'a;é', csv)).body), { body: 'a;é' });
      assert.deepEqual(JSON.parse((await post('/text/7', '{ }')).body), { body: '{ }' });
      assert.deepEqual(JSON.parse((await post('/text/7', '')).body), {});
      const other = await post('/text/7', 'a', { 'Content-Type': 'text/html' });
      assert.equal(other.status, 415);
      assert.match(JSON.parse(other.body).detail, /text\/csv or application\/json/);
    });

    test('an operation without a body never reads what is sent', async () => {
      const connection = new RawConnection(server.port);
      connection.send(requestText('POST', '/none/7', { headers: { 'Content-Length': '1000000' } }));
      assert.equal((await connection.answer()).body, '"done"');
      assert.equal(seen.listenerCount('data'), 0);
      connection.socket.destroy();
    });
  });
}
