// What happens on the wire below HTTP: slow clients, clients that leave, requests run together, bytes that are no
// request. The tests run at once, each with connections of its own, because the slow ones only wait.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { contentOf } from '../../../test/kit/answers.ts';
import { type RawAnswer, RawConnection, requestText } from '../../../test/kit/raw-http.ts';
import { eventOf, openTestShop, type TestShop } from '../../../test/kit/test-shop.ts';
import { anyProblem } from '../../contract/answers.ts';
import { boughtAnswer } from '../../contract/buying.ts';
import { availabilityAnswer } from '../../contract/events.ts';
import { healthAnswer } from '../../contract/operators.ts';
import { orderAnswer, ordersAnswer } from '../../contract/orders.ts';

/** One event per test that sells, so that each can count its own. */
const EVENTS = [
  'leaves',
  'mid-body',
  'half',
  'halves',
  'pipeline',
  'mixed',
  'keyed',
  'slow',
  'bytes',
  'strict',
  'late',
];
let shop: TestShop;

before(async () => {
  const events = EVENTS.map((eventId) => eventOf(eventId, { ga: 20 }));
  shop = await openTestShop({ settings: { SEED_EVENTS: '0' }, events });
});
after(() => shop?.close());

const buy = (event: string, headers: Readonly<Record<string, string>> = {}) =>
  requestText('POST', `/buy/${event}`, { headers });
const soldOf = async (event: string): Promise<number> => {
  const reply = await shop.ask('GET', `/api/v1/events/${event}/availability`);
  return contentOf(reply, 200, availabilityAnswer).sold;
};
/** Waits until the event has sold that many; fails when it sells more, or never does. */
async function sold(event: string, tickets: number): Promise<void> {
  const giveUpMs = performance.now() + patienceMs(500);
  while ((await soldOf(event)) < tickets) {
    assert.ok(performance.now() < giveUpMs, `${event} sold ${await soldOf(event)} of ${tickets}`);
    await sleep(10);
  }
  assert.equal(await soldOf(event), tickets);
}
const boughtIn = (answer: RawAnswer | undefined) => {
  assert.ok(answer, 'there was no answer');
  assert.equal(answer.status, 201, answer.body);
  return boughtAnswer.parse(JSON.parse(answer.body));
};
const problemIn = (answer: RawAnswer, status: number) => {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers.connection, 'close');
  const problem = anyProblem.parse(JSON.parse(answer.body));
  assert.equal(problem.status, status);
  return problem;
};

/** Sends the pieces with a pause before each but the first, until the server hangs up. Never more than 15 s. */
async function dribble(connection: RawConnection, pieces: readonly string[], everyMs: number): Promise<void> {
  for (const piece of pieces) {
    if (connection.socket.destroyed || !connection.socket.writable) return;
    connection.send(piece);
    await sleep(everyMs);
  }
}

const requestHead = (method: string, path: string, ...headers: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n');

/** Sends zeros as fast as they are taken, until the other side hangs up; how many were taken. */
async function pour({ socket }: RawConnection): Promise<number> {
  const zeros = Buffer.alloc(65_536);
  while (!socket.destroyed && socket.writable) {
    if (!socket.write(zeros)) {
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve).once('close', () => resolve());
      });
    } else await new Promise(setImmediate);
    assert.ok(socket.bytesWritten < 512 * 1_048_576, 'half a gigabyte was taken');
  }
  return socket.bytesWritten;
}

// By itself: it takes the next connection, no matter whose.
test('[S4] what was refused for its time is not done when its bytes are read at last', async () => {
  // As Node does it when the process stood still for ten seconds: the time is over, and the request lies unread.
  shop.server.once('connection', (socket) => {
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    shop.server.emit('clientError', late, socket);
  });
  const connection = new RawConnection(shop.port);
  connection.send(buy('late'));
  problemIn(await connection.answer(), 408);
  await connection.closed();
  assert.equal(await soldOf('late'), 0);
});

describe('sockets', { concurrency: true, timeout: patienceMs(15_000) }, () => {
  test('headers that do not end are cut off after 5 seconds, and others are served meanwhile', async () => {
    const connection = new RawConnection(shop.port);
    const head = 'POST /buy/slow HTTP/1.1\r\nHost: x\r\n';
    const done = dribble(connection, [head, ...Array.from({ length: 60 }, (_, i) => `X-${i}: y\r\n`)], 200);
    for (let i = 0; i < 20; i++) {
      contentOf(await shop.ask('GET', '/health'), 200, healthAnswer);
      await sleep(150);
    }
    problemIn(await connection.answer(), 408);
    const livedMs = await connection.closed();
    assert.ok(livedMs > 4_500, `cut off after ${livedMs} ms`);
    await done;
    assert.equal(await soldOf('slow'), 0);
  });

  test('a connection that says nothing is cut off as well', async () => {
    const connection = new RawConnection(shop.port);
    const livedMs = await connection.closed();
    assert.ok(livedMs > 4_500, `cut off after ${livedMs} ms`);
  });

  test('a body that does not end is cut off after 10 seconds and sells nothing', async () => {
    const connection = new RawConnection(shop.port);
    const silent = new RawConnection(shop.port);
    const head =
      'POST /buy/slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n';
    const done = dribble(connection, [head, ...Array<string>(60).fill(' ')], 250);
    problemIn(await connection.answer(), 408);
    const livedMs = await connection.closed();
    assert.ok(livedMs > 9_500, `cut off after ${livedMs} ms`);
    assert.ok((await silent.closed()) < livedMs, 'control: who sends no head is cut off sooner');
    await done;
    assert.equal(await soldOf('slow'), 0);
  });

  test('[S4] a client that has closed its sending side still gets its ticket', async () => {
    const connection = new RawConnection(shop.port);
    connection.socket.end(buy('half'));
    boughtIn(await connection.answer());
    await connection.closed();
    assert.equal(await soldOf('half'), 1);
  });

  test('[S4] half-closed after two requests at once, it gets both', async () => {
    const connection = new RawConnection(shop.port);
    connection.socket.end(buy('halves') + buy('halves'));
    const answers = (await connection.answers(2)).map(boughtIn);
    assert.equal(new Set(answers.map(({ orderId }) => orderId)).size, 2);
    await connection.closed();
  });

  test('a client that closes its sending side in mid-body is told so and buys nothing', async () => {
    const connection = new RawConnection(shop.port);
    const head = 'POST /buy/mid-body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    connection.socket.end(`${head}Content-Length: 20\r\n\r\n{"quantity":`);
    problemIn(await connection.answer(), 400);
    await connection.closed();
    assert.equal(await soldOf('mid-body'), 0);
  });

  test('a client that is gone in mid-body buys nothing, announced or in chunks', async () => {
    const head = 'POST /buy/mid-body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    for (const body of [
      'Content-Length: 14\r\n\r\n{"quantity":1',
      'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n',
    ]) {
      for (const leave of ['destroy', 'resetAndDestroy'] as const) {
        const connection = new RawConnection(shop.port);
        await new Promise<void>((resolve) => connection.socket.write(head + body, () => resolve()));
        await sleep(20);
        connection.socket[leave]();
        await connection.closed();
      }
    }
    await sleep(50);
    assert.equal(await soldOf('mid-body'), 0);
  });

  test('[S4] the sale of a client that left before the answer stands in the ledger', async () => {
    const connection = new RawConnection(shop.port);
    await new Promise<void>((resolve) => connection.socket.write(buy('leaves'), () => resolve()));
    connection.socket.destroy();
    await sold('leaves', 1);
    const reply = await shop.ask('GET', '/api/v1/events/leaves/orders', { asStaff: true });
    assert.equal(contentOf(reply, 200, ordersAnswer).orders.length, 1);
  });

  test('[S5] a client that left before the answer gets it by asking again with its key', async () => {
    const request = buy('keyed', { 'Idempotency-Key': 'left' });
    const connection = new RawConnection(shop.port);
    await new Promise<void>((resolve) => connection.socket.write(request, () => resolve()));
    connection.socket.destroy();
    await sold('keyed', 1);
    const again = contentOf(await shop.ask('POST', '/buy/keyed', { key: 'left' }), 201, boughtAnswer);
    const path = `/api/v1/orders/${again.orderId}?secret=${again.secret}`;
    contentOf(await shop.ask('GET', path), 200, orderAnswer);
    assert.equal(await soldOf('keyed'), 1);
  });

  test('pipelined requests are answered in their order', async () => {
    const connection = new RawConnection(shop.port);
    const read = requestText('GET', '/health/live');
    const refused = requestText('POST', '/buy/nowhere');
    connection.send(buy('pipeline') + read + refused + buy('pipeline') + read);
    const answers = await connection.answers(5);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 200, 404, 201, 200],
    );
    const seqs = [answers[0], answers[3]].map((answer) => boughtIn(answer).ledgerSeq);
    assert.deepEqual(seqs, [2, 3]);
    connection.socket.destroy();
  });

  test('[S4] bytes that are no request, behind purchases under way, do not take the place of their answers', async () => {
    const connection = new RawConnection(shop.port);
    connection.send(`${buy('mixed')}${buy('mixed')}THIS IS NO REQUEST\r\n\r\n`);
    const [first, second, third] = await connection.answers(3);
    boughtIn(first);
    boughtIn(second);
    problemIn(third!, 400);
    await connection.closed();
    assert.equal(await soldOf('mixed'), 2);
  });

  const head = 'POST /buy/strict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const SMUGGLING = {
    'two ways to tell the length': `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two equal lengths': `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
    'two different lengths': `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `,
    'a list of lengths': `${head}Content-Length: 2, 2\r\n\r\n{}`,
    'a negative length': `${head}Content-Length: -2\r\n\r\n{}`,
    'a length in hexadecimal': `${head}Content-Length: 0x2\r\n\r\n{}`,
    'a length too large to count': `${head}Content-Length: 99999999999999999999999\r\n\r\n{}`,
    'a space before the colon': `${head}Content-Length : 2\r\n\r\n{}`,
    'a folded header': `${head}Content-Length: 2\r\n X: y\r\n\r\n{}`,
    'an encoding of another name': `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'chunked but not last': `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    'chunks without a size': `${head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n`,
    'chunks that are longer than said': `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`,
    'lines that end with LF alone': head.replaceAll('\r\n', '\n').concat('\n'),
    'a bare CR in a header': 'POST /buy/strict HTTP/1.1\r\nHost: x\rX: y\r\n\r\n',
    'a NUL in a header': 'POST /buy/strict HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
    'a header without a name': 'POST /buy/strict HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n',
    'a method nobody knows': 'BUY /buy/strict HTTP/1.1\r\nHost: x\r\n\r\n',
    'a version nobody speaks': 'POST /buy/strict HTTP/9.9\r\nHost: x\r\n\r\n',
    'HTTP/2 without being asked': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'TLS on the plain port': Buffer.from('160301020001000001fc0303', 'hex').toString('latin1'),
    noise: `${'\xff\xfe\x01'.repeat(100)}\r\n\r\n`,
  };
  for (const [what, bytes] of Object.entries(SMUGGLING)) {
    test(`refused with 400 and hung up on: ${what}`, async () => {
      const connection = new RawConnection(shop.port);
      connection.send(Buffer.from(bytes, 'latin1'));
      problemIn(await connection.answer(), 400);
      await connection.closed();
      assert.equal((await connection.answers(9)).length, 1, 'nothing behind it is answered');
      assert.equal(await soldOf('strict'), 0);
    });
  }

  test('a request without Host is refused', async () => {
    const connection = new RawConnection(shop.port);
    connection.send('POST /buy/strict HTTP/1.1\r\n\r\n');
    await connection.closed();
    assert.match(connection.text, /^HTTP\/1\.1 400 /);
    assert.equal(await soldOf('strict'), 0);
  });

  test('headers over 16 kB are refused with 431, in one or in many, and hung up on', async () => {
    const one = `X: ${'y'.repeat(20_000)}\r\n`;
    const many = Array.from({ length: 3_000 }, (_, i) => `X-${i}: y\r\n`).join('');
    const line = `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
    for (const bytes of [`GET /health HTTP/1.1\r\n${one}\r\n`, `GET /health HTTP/1.1\r\n${many}\r\n`, line]) {
      const connection = new RawConnection(shop.port);
      connection.send(bytes);
      problemIn(await connection.answer(), 431);
      await connection.closed();
    }
  });

  test('an announced body is invited, as curl asks it to be', async () => {
    const connection = new RawConnection(shop.port);
    connection.send(
      buy('bytes', { Expect: '100-continue', 'Content-Type': 'application/json', 'Content-Length': '2' }),
    );
    while (connection.text === '') await sleep(5);
    assert.match(connection.text, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    connection.send('{}');
    boughtIn(await connection.answer());
    connection.socket.destroy();
  });

  test('a body that nobody wanted is not read on for ever, whatever the refusal', async () => {
    const refused: readonly (readonly [string, number])[] = [
      [requestHead('POST', '/api/v1/events', 'Content-Length: 10000000000'), 401],
      [requestHead('POST', '/api/v1/events', 'Transfer-Encoding: chunked'), 401],
      [requestHead('POST', '/buy/strict', 'Authorization: Bearer wrong', 'Content-Length: 10000000000'), 401],
      [requestHead('POST', '/nowhere', 'Content-Length: 10000000000'), 404],
      [requestHead('PUT', '/buy/strict', 'Transfer-Encoding: chunked'), 405],
    ];
    for (const [head, status] of refused) {
      const connection = new RawConnection(shop.port);
      connection.send(head);
      problemIn((await connection.answer())!, status);
      const sent = await pour(connection);
      assert.ok(sent < 32 * 1_048_576, `${status}: ${sent} bytes were taken`);
    }
    // Health reads no body, and answers all the same.
    const healthy = new RawConnection(shop.port);
    healthy.send(requestHead('GET', '/health', 'Content-Length: 10000000000'));
    const answer = (await healthy.answer())!;
    assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
    assert.ok((await pour(healthy)) < 32 * 1_048_576);
  });

  test('a small body that nobody wanted is dropped, and the connection goes on', async () => {
    const connection = new RawConnection(shop.port);
    connection.send(
      requestText('POST', '/api/v1/events', { body: JSON.stringify({ name: 'x'.repeat(9_000) }) }),
    );
    assert.equal((await connection.answer())?.status, 401);
    connection.send(buy('bytes'));
    const [, bought] = await connection.answers(2);
    boughtIn(bought);
    connection.socket.destroy();
  });

  test('a body is not invited that will be refused', async () => {
    const connection = new RawConnection(shop.port);
    connection.send(requestHead('POST', '/api/v1/events', 'Expect: 100-continue', 'Content-Length: 2000'));
    problemIn((await connection.answer())!, 401);
    assert.doesNotMatch(connection.text, /100 Continue/);
    await connection.closed();
  });

  test('a request that comes byte by byte is one like others', async () => {
    const connection = new RawConnection(shop.port);
    const text = requestText('POST', '/buy/bytes', { body: '{"buyer":"Zoë"}' });
    for (const byte of Buffer.from(text)) {
      connection.send(Buffer.from([byte]));
      await sleep(1);
    }
    boughtIn(await connection.answer());
    connection.socket.destroy();
  });
});
