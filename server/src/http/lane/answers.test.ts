// The four kinds of answers as they go over the wire, by either lane.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { addAbortSignal, Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { exchange, RawConnection, requestText } from '../../../test/kit/raw-http.ts';
import { LANES, openTestDoors, type TestDoors, until } from '../../../test/kit/test-doors.ts';
import type { Answer } from './answer.ts';
import { notModified } from './etag.ts';
import { type Operation, operation } from './operation.ts';

/** Here the lane is asked, not what doors declare. */
const ANSWERS = { 200: z.unknown() };

const BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const PIECE = Buffer.alloc(65_536, 'x');

/** What the streams of one server have been through. */
class Watch {
  opened = 0;
  closed = 0;
  pieces = 0;
  /** Resolves the wait of the stream that waits. */
  say = (_piece: string): void => {};
  source: Readable | undefined;
}

/** Tells what is said, until it is stopped. */
async function* listening(watch: Watch, stop: AbortSignal) {
  watch.opened++;
  try {
    yield 'hello\n';
    while (!stop.aborted) {
      const said = await new Promise<string | undefined>((resolve) => {
        watch.say = resolve;
        stop.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      if (said !== undefined) yield said;
    }
  } finally {
    watch.closed++;
  }
}

async function* endless(watch: Watch) {
  try {
    for (;;) {
      watch.pieces++;
      yield PIECE;
    }
  } finally {
    watch.closed++;
  }
}

async function* failing() {
  yield 'so far so good\n';
  throw new Error('the source of this stream fails on purpose');
}

async function* three() {
  yield 'one ';
  yield Buffer.from('two ');
  yield 'drei €';
}

function operations(watch: Watch): Operation[] {
  const answers: Readonly<Record<string, () => Answer>> = {
    json: () => ({ kind: 'json', status: 200, body: { name: 'Zoë' } }),
    text: () => ({ kind: 'text', status: 200, body: 'naïve €', contentType: 'text/plain; charset=utf-8' }),
    bytes: () => ({ kind: 'bytes', status: 200, body: BYTES, contentType: 'application/pdf' }),
    known: () => notModified({ ETag: '"1"' }),
    stream: () => ({ kind: 'stream', status: 200, open: three, contentType: 'text/plain' }),
    sized: () => ({ kind: 'stream', status: 200, open: three, contentType: 'text/plain', bytes: 16 }),
    events: () => ({
      ...{ kind: 'stream', status: 200, contentType: 'text/event-stream' },
      open: (stop: AbortSignal) => listening(watch, stop),
    }),
    endless: () => ({ kind: 'stream', status: 200, open: () => endless(watch), contentType: 'text/plain' }),
    silent: () => ({
      ...{ kind: 'stream', status: 200, contentType: 'text/plain' },
      open: (stop: AbortSignal) => {
        watch.source = addAbortSignal(stop, new Readable({ read() {} }));
        return watch.source;
      },
    }),
    failing: () => ({ kind: 'stream', status: 200, open: failing, contentType: 'text/plain' }),
  };
  return Object.entries(answers).map(([name, run]) =>
    operation({
      summary: 'Try something',
      tag: 'Operation',
      name,
      method: 'GET',
      path: `/${name}`,
      isHot: true,
      answers: ANSWERS,
      input: z.object({}),
      run,
    }),
  );
}

for (const [lane, hasFrontLane] of LANES) {
  describe(lane, () => {
    const watch = new Watch();
    let server: TestDoors;
    before(async () => {
      server = await openTestDoors(operations(watch), hasFrontLane);
    });
    after(() => server?.close());
    const get = async (path: string) => {
      const reply = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return { headers: reply.headers, bytes: Buffer.from(await reply.arrayBuffer()), status: reply.status };
    };
    const open = (path: string) => {
      const connection = new RawConnection(server.port);
      connection.send(requestText('GET', path));
      return connection;
    };
    /** How often it was answered since the last look. */
    const seen: Record<string, number> = {};
    const newlyAnswered = async (name: string) => {
      const now = (await server.answered(name))['200'] ?? 0;
      const fresh = now - (seen[name] ?? 0);
      seen[name] = now;
      return fresh;
    };
    before(async () => {
      for (const { name } of operations(watch)) await newlyAnswered(name);
    });

    test('JSON, text and bytes arrive as they are, with their type and length', async () => {
      const expected = {
        json: ['application/json', Buffer.from('{"name":"Zoë"}')],
        text: ['text/plain; charset=utf-8', Buffer.from('naïve €')],
        bytes: ['application/pdf', Buffer.from(BYTES)],
      } as const;
      for (const [name, [type, content]] of Object.entries(expected)) {
        const { headers, bytes } = await get(`/${name}`);
        assert.equal(headers.get('content-type'), type);
        assert.equal(headers.get('content-length'), `${content.length}`);
        assert.deepEqual(bytes, content);
      }
    });

    test('HEAD has the head of GET, and no content', async () => {
      const opened = watch.opened;
      for (const path of ['/json', '/text', '/bytes', '/sized', '/events']) {
        const connection = new RawConnection(server.port);
        connection.send(requestText('HEAD', path) + requestText('GET', '/json'));
        const [head] = await connection.answers(1, false);
        const [, next = ''] = connection.text.split('\r\n\r\n', 2);
        assert.ok(next === '' || next.startsWith('HTTP/1.1 200'), `${path} sent content: ${next}`);
        connection.socket.destroy();
        assert.equal(head?.status, 200);
        assert.equal(head?.headers['content-length'], LENGTHS[path]);
        assert.ok(head?.headers['content-type']);
      }
      assert.equal(watch.opened, opened, 'a stream is not opened for HEAD');
    });

    test('a 304 has neither type nor length', async () => {
      const { status, headers, body } = await exchange(server.port, requestText('GET', '/known'));
      assert.deepEqual([status, headers.etag, body], [304, '"1"', '']);
      assert.equal(headers['content-type'], undefined);
      assert.equal(headers['content-length'], undefined);
    });

    test('a stream arrives whole, in pieces or with its length where that is known', async () => {
      const pieces = await get('/stream');
      assert.equal(pieces.bytes.toString(), 'one two drei €');
      assert.equal(pieces.headers.get('transfer-encoding'), 'chunked');
      const sized = await get('/sized');
      assert.equal(sized.bytes.toString(), 'one two drei €');
      assert.equal(sized.headers.get('content-length'), '16');
      await until(async () => (await server.answered('sized'))['200'] !== undefined, 'the count');
    });

    test('a stream is heard at once, and counted as answered when it has ended', async () => {
      await newlyAnswered('events');
      const connection = open('/events');
      await until(() => connection.text.includes('hello'), 'the first piece');
      watch.say('news\n');
      await until(() => connection.text.includes('news'), 'the second piece');
      assert.equal(await newlyAnswered('events'), 0);
      const closed = watch.closed;
      connection.socket.destroy();
      await until(() => watch.closed > closed, 'the stream to be closed');
      await until(async () => (await newlyAnswered('events')) === 1, 'the stream to be counted');
      assert.equal(server.doors.streams.size, 0);
    });

    test('a stream is read no faster than its client takes it', async () => {
      watch.pieces = 0;
      const closed = watch.closed;
      const client = request({ port: server.port, host: '127.0.0.1', path: '/endless' });
      const reply = await new Promise<import('node:http').IncomingMessage>((resolve) => {
        client.on('response', resolve).end();
      });
      // What the sockets of both ends hold is some megabytes; after that the source must stand still.
      let before = -1;
      await until(async () => {
        const stands = watch.pieces === before;
        before = watch.pieces;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return stands && watch.pieces === before;
      }, 'the source to stand still');
      assert.ok(watch.pieces < 1_000, `${watch.pieces} pieces were made for a client that reads none`);
      reply.resume();
      await until(() => watch.pieces > before + 100, 'the source to go on');
      client.destroy();
      await until(() => watch.closed > closed, 'the stream to be closed');
    });

    test('a source that has nothing to say is closed when its client leaves', async () => {
      const connection = open('/silent');
      await until(() => connection.text.includes('200 OK'), 'the head');
      assert.equal(watch.source?.destroyed, false);
      connection.socket.destroy();
      await until(() => watch.source?.destroyed === true, 'the source to be closed');
      await until(() => server.doors.streams.size === 0, 'the stream to be forgotten');
    });

    test('a stream that fails breaks off, so that nobody takes it for whole', async () => {
      const faults = await server.faults();
      await assert.rejects(get('/failing'));
      await until(async () => (await server.faults()) > faults, 'the fault to be counted');
    });

    test('a server that shuts down ends its streams in good order', async () => {
      const own = await openTestDoors(operations(watch), hasFrontLane);
      const reply = await fetch(`http://127.0.0.1:${own.port}/events`);
      const whole = reply.text();
      await own.close();
      assert.equal(await whole, 'hello\n');
    });
  });
}

const LENGTHS: Readonly<Record<string, string | undefined>> = {
  ...{ '/json': '15', '/text': '10', '/bytes': '256', '/sized': '16', '/events': undefined },
};
