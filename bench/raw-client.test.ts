// The client must tell whole answers from half ones, and must never count what it did not understand as served.
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameAnswer, RawConnection, requestText } from './raw-client.ts';

const ANSWER = 'HTTP/1.1 201 Created\r\ncontent-length: 13\r\nX: y\r\n\r\n{"ok":"yes!"}';

test('an answer is framed by its Content-Length, whatever follows it', () => {
  const frame = { status: 201, lengthBytes: ANSWER.length };
  assert.deepEqual(frameAnswer(Buffer.from(ANSWER)), frame);
  assert.deepEqual(frameAnswer(Buffer.from(`${ANSWER}HTTP/1.1 200 OK`)), frame);
});

test('no proper beginning of an answer is taken for an answer', () => {
  for (let length = 0; length < ANSWER.length; length++) {
    assert.equal(frameAnswer(Buffer.from(ANSWER.slice(0, length))), undefined);
  }
});

test('an answer without Content-Length or status cannot be framed', () => {
  assert.throws(() => frameAnswer(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')));
  assert.throws(() => frameAnswer(Buffer.from('ICY 200 OK\r\nContent-Length: 0\r\n\r\n')));
});

test('a request carries its body with its length in bytes', () => {
  const text = requestText('POST', '/buy/1', { 'Idempotency-Key': 'k' }, '{"buyer":"Ö"}');
  assert.match(text, /^POST \/buy\/1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1\r\n/);
  assert.match(text, /\r\nIdempotency-Key: k\r\n/);
  assert.match(text, /\r\nContent-Length: 14\r\n\r\n\{"buyer":"Ö"\}$/);
});

/** Runs one request against a peer that answers with the given pieces, one at a time. */
async function ask(pieces: readonly string[]): Promise<number | 'lost'> {
  const server = createServer(async (socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('data', resolve));
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    socket.end();
  });
  const port = await listen(server);
  try {
    return await new Promise((resolve) => {
      new RawConnection(port, {
        onReady: (connection) => connection.send(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
        onAnswer: (connection, status) => {
          resolve(status);
          connection.close();
        },
        onClose: (_connection, lost) => lost && resolve('lost'),
      });
    });
  } finally {
    server.close();
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('not a TCP address'));
      else resolve(address.port);
    });
  });
}

test('an answer in any number of pieces is one answer', async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: ANSWER.length - 1 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, async (unsorted) => {
      const at = [0, ...unsorted.toSorted((a, b) => a - b), ANSWER.length];
      const pieces = at.slice(1).map((end, index) => ANSWER.slice(at[index], end));
      assert.equal(await ask(pieces), 201);
    }),
    { numRuns: 25 },
  );
});

test('an answer longer than the receive buffer is one answer', async () => {
  assert.equal(await ask([`HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n${'x'.repeat(50_000)}`]), 200);
});

test('a request is lost when the peer hangs up, answers half, or answers what cannot be framed', async () => {
  assert.equal(await ask([]), 'lost');
  assert.equal(await ask([ANSWER.slice(0, -1)]), 'lost');
  assert.equal(await ask(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n']), 'lost');
  assert.equal(await ask([ANSWER + ANSWER]), 'lost');
});
