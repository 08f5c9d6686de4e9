// Requests to real servers of this machine, which is why most of these may go anywhere.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { Outbound, type OutboundOptions } from './outbound.ts';
import { isPublic, lookUpPublic } from './public-address.ts';

const OPTIONS: OutboundOptions = {
  ...{ reach: 'anywhere', deadlineMs: 20_000, maxResponseBytes: 1_000, maxAttempts: 3 },
};
const GET = { method: 'GET', mayRepeat: true } as const;
const closings: (() => void)[] = [];
after(() => {
  for (const close of closings) close();
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closings.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, server };
}

function outbound(options: Partial<OutboundOptions> = {}): Outbound {
  const made = new Outbound({ ...OPTIONS, ...options });
  closings.push(() => made.close());
  return made;
}

describe('outbound', () => {
  test('sends method, headers and body; any status is an answer, a redirect too', async () => {
    const { url } = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text) => {
        response.writeHead(302, { location: 'http://10.0.0.1/' });
        response.end(`${request.method} ${request.headers['x-key']} ${text}`);
      });
    });
    const request = { url, method: 'POST', headers: { 'x-key': 'k' }, body: 'ü', mayRepeat: false } as const;
    const { status, headers, body } = await outbound().send(request);
    assert.deepEqual([status, headers.location, `${body}`], [302, 'http://10.0.0.1/', 'POST k ü']);
  });

  test('an answer that does not come in time, or is too long, is given up', async () => {
    const silent = await serve(() => {});
    const patient = outbound({ deadlineMs: 300 }).send({ url: silent.url, ...GET });
    await assert.rejects(patient, { name: 'OutboundFailed', mayHaveArrived: true });
    const long = await serve((_, response) => response.end('x'.repeat(1_001)));
    await assert.rejects(
      outbound({ maxAttempts: 1 }).send({ url: long.url, ...GET }),
      /more than 1000 bytes/,
    );
  });

  test('what may be repeated is, with pauses, up to the last attempt; what may not and may have arrived is not', async () => {
    let asked = 0;
    const { url } = await serve((request, response) => {
      if (++asked % 3 === 0) response.end('third time');
      else request.socket.destroy();
    });
    assert.equal(`${(await outbound().send({ url, ...GET })).body}`, 'third time');
    assert.equal(asked, 3);
    const post = outbound().send({ url, method: 'POST', body: 'pay', mayRepeat: false });
    await assert.rejects(post, { name: 'OutboundFailed', mayHaveArrived: true });
    assert.equal(asked, 4);
  });

  test('a host where nobody listens never heard of it; after five failures it is left alone', async () => {
    const { url, server } = await serve(() => {});
    server.close();
    await once(server, 'close');
    const to = outbound({ maxAttempts: 1 });
    for (let n = 0; n < 5; n++) {
      const sent = to.send({ url, method: 'POST', mayRepeat: false });
      await assert.rejects(sent, { name: 'OutboundFailed', mayHaveArrived: false });
    }
    await assert.rejects(to.send({ url, ...GET }), /keeps failing/);
  });
});

describe('where a request may go that somebody else has named', () => {
  test('to addresses of the public internet only', () => {
    const forbidden = [
      ...['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
      ...['224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1'],
      ...['64:ff9b::7f00:1', '2002:7f00:1::', '::127.0.0.1', 'no address'],
    ];
    for (const address of forbidden) assert.equal(isPublic(address), false, address);
    for (const address of ['1.1.1.1', '172.32.0.1', '2606:4700::1111']) assert.equal(isPublic(address), true);
  });

  test('neither by an address in whatever writing, nor by a name that leads home, nor by another protocol', async () => {
    let asked = 0;
    const { url } = await serve((_, response) => {
      asked++;
      response.end();
    });
    const { port } = new URL(url);
    const hosts = ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'];
    const to = outbound({ reach: 'public' });
    for (const host of hosts) {
      await assert.rejects(
        to.send({ url: `http://${host}:${port}/`, ...GET }),
        { name: 'ForbiddenAddress' },
        host,
      );
    }
    await assert.rejects(to.send({ url: 'file:///etc/passwd', ...GET }), { name: 'ForbiddenAddress' });
    assert.equal(asked, 0);
    // Control: the same server answers who may go anywhere.
    assert.equal((await outbound().send({ url, ...GET })).status, 200);
    assert.equal(asked, 1);
  });

  test('a look-up refuses a name of which one address is not public', async () => {
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    lookUpPublic('localhost', { all: false }, (error) => resolve(error));
    assert.equal((await promise)?.name, 'ForbiddenAddress');
  });
});
