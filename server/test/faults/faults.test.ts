// The real program on a real disk that is full or turns read-only (faults 3 and 43): nothing is granted that was not
// kept, everything else goes on, and selling resumes by itself. The disk is a small one in memory, which only root
// may mount.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { anyProblem } from '../../src/contract/answers.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { auditAnswer, availabilityAnswer, journalAnswer } from '../../src/contract/events.ts';
import { heldAnswer, holdAnswer } from '../../src/contract/holds.ts';
import { healthAnswer, metricsAnswer } from '../../src/contract/operators.ts';
import { contentOf, readProblem } from '../kit/answers.ts';
import { keyOfGuest } from '../kit/checker/guest-key.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { API_KEY } from '../kit/server-process.ts';
import { type Asking, ask, type Reply } from '../kit/test-shop.ts';

const AT_ONCE = 100;
/** Long, to fill the disk with fewer sales. */
const BUYER = 'b'.repeat(255);

/** A disk of its own, or undefined after skipping the test. */
function mountDisk(t: TestContext, mib: number): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    t.skip('mounting a small disk takes Linux and root');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-disk-'));
  // Lazily, because the program may still be using it.
  t.after(() => {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (mounted.status !== 0) {
    t.skip(`mounting a small disk failed: ${mounted.stderr.trim()}`);
    return undefined;
  }
  return folder;
}

const settings = (folder: string, tickets: number) => ({
  HOST: '127.0.0.1',
  PORT: '0',
  API_KEY,
  DATABASE_URL: `sqlite:${join(folder, 'floodgate.db')}`,
  SEED_EVENTS: '1',
  SEED_TICKETS: `${tickets}`,
});

/** A client that remembers under which key it was granted what, and which keys had a 503. */
class Client {
  readonly granted = new Map<string, string>();
  readonly turnedAway = new Set<string>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  ask(method: string, path: string, asking: Asking = {}): Promise<Reply> {
    return ask(this.#port, method, path, asking);
  }

  async buy(key: string, quantity = 1): Promise<number> {
    const reply = await this.ask('POST', '/buy/1', { key, body: { quantity, buyer: BUYER } });
    if (reply.status === 503) {
      const { retryAfterMs } = readProblem(reply, 503, 'UNAVAILABLE');
      assert.ok(retryAfterMs !== undefined && retryAfterMs <= 5_000);
      assert.equal(reply.headers.get('retry-after'), `${Math.ceil(retryAfterMs / 1_000)}`);
      this.turnedAway.add(key);
    } else if (reply.status === 201) {
      this.turnedAway.delete(key);
      this.granted.set(key, contentOf(reply, 201, boughtAnswer).orderId);
    } else {
      const { error } = contentOf(reply, 409, anyProblem);
      assert.ok(error === 'SOLD_OUT' || error === 'ALL_HELD', error);
    }
    return reply.status;
  }

  /** Buys until the first 503, a hundred at once. */
  async buyUntilRefused(limit: number): Promise<void> {
    for (let round = 0; round < limit / AT_ONCE; round++) {
      const statuses = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => this.buy(`key-${round * AT_ONCE + i}`)),
      );
      if (statuses.includes(503)) return;
      assert.ok(!statuses.includes(409), 'sold out before the disk was full');
    }
    assert.fail(`${limit} sales did not fill the disk`);
  }

  /** Buys that many at a time until there are no more. */
  async buyAll(quantity: number): Promise<void> {
    for (let round = 0; ; round++) {
      const keys = Array.from({ length: AT_ONCE }, (_, i) => `all-${quantity}-${round}-${i}`);
      const statuses = await Promise.all(keys.map((key) => this.buy(key, quantity)));
      if (!statuses.includes(201)) return;
    }
  }

  async health() {
    return contentOf(await this.ask('GET', '/health'), 200, healthAnswer);
  }

  async counts() {
    const reply = await this.ask('GET', '/api/v1/events/1/availability');
    return contentOf(reply, 200, availabilityAnswer);
  }

  async audit(): Promise<void> {
    const reply = await this.ask('GET', '/api/v1/events/1/audit', { asStaff: true });
    const { ok, checks } = contentOf(reply, 200, auditAnswer);
    assert.ok(ok, JSON.stringify(checks));
  }

  /** What the ledger has under the keys. */
  async ordersByKey(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let after = 0; ; ) {
      const path = `/api/v1/events/1/journal?limit=1000&after=${after}`;
      const { entries } = contentOf(await this.ask('GET', path, { asStaff: true }), 200, journalAnswer);
      for (const { key, orderId } of entries) if (key && orderId) found.set(key, orderId);
      if (entries.length === 0) return found;
      after = entries.at(-1)!.seq;
    }
  }
}

/** The state a shop must be in while it cannot write: it says so, refuses every change, and still answers reads. */
async function isDegradedButAlive(client: Client, holdId: string): Promise<void> {
  const health = await client.health();
  assert.deepEqual([health.status, health.degraded], ['degraded', true]);
  assert.equal((await client.ask('GET', '/health/live')).status, 200);
  const before = await client.counts();
  assert.equal(before.pending, 0);
  const lines = [{ ticketType: 'ga', quantity: 1 }];
  const changes = [
    client.ask('POST', '/buy/1', { body: { quantity: 10 } }),
    client.ask('POST', '/api/v1/purchase', { key: 'purchase', body: { quantity: 1 } }),
    client.ask('POST', '/api/v1/events/1/holds', { body: { lines } }),
    client.ask('DELETE', `/api/v1/holds/${holdId}`),
    client.ask('POST', `/api/v1/holds/${holdId}/confirm`),
  ];
  for (const change of await Promise.all(changes)) readProblem(change, 503, 'UNAVAILABLE');
  assert.deepEqual(await client.counts(), before);
  const held = await client.ask('GET', `/api/v1/holds/${holdId}`);
  assert.equal(contentOf(held, 200, holdAnswer).status, 'active');
  const metrics = await client.ask('GET', '/metrics?format=json');
  assert.equal(contentOf(metrics, 200, metricsAnswer).degraded, true);
  await client.audit();
}

/** After the disk is well again, without a restart: every grant kept, no refusal had an effect. Returns what is sold. */
async function isWholeAgain(client: Client, holdId: string, tickets: number): Promise<number> {
  const kept = await client.ordersByKey();
  for (const [key, orderId] of client.granted)
    assert.equal(kept.get(keyOfGuest(key)), orderId, `granted under ${key}`);
  const effects = [...client.turnedAway].filter((key) => kept.has(keyOfGuest(key)));
  assert.deepEqual(effects, [], 'refused with 503, and sold all the same');
  // The same keys again: those who were turned away are served now.
  const again = [...client.turnedAway];
  assert.deepEqual(new Set(await Promise.all(again.map((key) => client.buy(key)))), new Set([201]));
  const health = await client.health();
  assert.deepEqual([health.status, health.degraded], ['ok', false]);
  // Every ticket that was refused can be sold: all are, in the end, but for those still held.
  assert.equal((await client.ask('DELETE', `/api/v1/holds/${holdId}`)).status, 200);
  for (const quantity of [10, 1]) await client.buyAll(quantity);
  const { sold, available, pending, held } = await client.counts();
  assert.deepEqual([available, pending, sold + held], [0, 0, tickets]);
  await client.audit();
  return sold;
}

const holdOne = async (client: Client): Promise<string> => {
  const lines = [{ ticketType: 'ga', quantity: 1 }];
  const reply = await client.ask('POST', '/api/v1/events/1/holds', { body: { lines } });
  return contentOf(reply, 201, heldAnswer).holdId;
};

/** Uses up the little room that a refused batch has left: purchases take the most of it, then holds, then releases. */
async function useUpRoom(client: Client): Promise<void> {
  for (let i = 0; (await client.buy(`more-${i}`)) === 201; i++);
  const holds: string[] = [];
  const lines = [{ ticketType: 'ga', quantity: 1 }];
  for (;;) {
    const reply = await client.ask('POST', '/api/v1/events/1/holds', { body: { lines } });
    if (reply.status === 503) break;
    holds.push(contentOf(reply, 201, heldAnswer).holdId);
  }
  for (const id of holds) {
    if ((await client.ask('DELETE', `/api/v1/holds/${id}`)).status === 503) break;
  }
}

describe('a disk', { concurrency: 2, timeout: patienceMs(12_000) }, () => {
  // The smaller disk is full while the write-ahead log grows, the larger one when the log is copied into the ledger.
  for (const { mib, tickets } of [
    { mib: 3, tickets: 4_000 },
    { mib: 9, tickets: 8_000 },
  ]) {
    test(`[S4] [S9] ${mib} MB, full: 503, nothing granted is lost, and it sells on when there is room again`, async (t) => {
      const folder = mountDisk(t, mib);
      if (folder === undefined) return;
      const env = settings(folder, tickets);
      const shop = await Program.open(t, { folder, env });
      const client = new Client(shop.port);
      const holdId = await holdOne(client);
      await client.buyUntilRefused(tickets);
      await useUpRoom(client);
      await isDegradedButAlive(client, holdId);
      t.diagnostic(`${client.granted.size} sold until the disk was full`);
      assert.equal(spawnSync('mount', ['-o', 'remount,size=64m', folder]).status, 0);
      const sold = await isWholeAgain(client, holdId, tickets);

      shop.child.kill('SIGTERM');
      assert.equal((await shop.ended).code, 0);
      const restarted = new Client((await Program.open(t, { folder, env })).port);
      assert.equal((await restarted.counts()).sold, sold);
      const kept = await restarted.ordersByKey();
      for (const [key, orderId] of client.granted) assert.equal(kept.get(keyOfGuest(key)), orderId);
    });
  }

  test('[S4] that turns read-only under a running shop: 503, and it sells on when it is writable again', async (t) => {
    const folder = temporaryFolder(t);
    const tickets = 300;
    const shop = await Program.open(t, { folder, env: settings(folder, tickets) });
    const client = new Client(shop.port);
    const holdId = await holdOne(client);
    const files = readdirSync(folder).filter((name) => /\.db(-wal)?$/.test(name));
    const setReadOnly = (sign: '+' | '-') =>
      spawnSync('chattr', [`${sign}i`, ...files.map((name) => join(folder, name))], { encoding: 'utf8' });
    const done = setReadOnly('+');
    if (done.error || done.status !== 0)
      return t.skip(`chattr +i: ${done.error?.message ?? done.stderr.trim()}`);
    try {
      await client.buyUntilRefused(200);
      await isDegradedButAlive(client, holdId);
    } finally {
      setReadOnly('-');
    }
    await isWholeAgain(client, holdId, tickets);
  });

  test('that is full or read-only at the start is one clear line', async (t) => {
    const folder = mountDisk(t, 1);
    if (folder === undefined) return;
    const env = settings(folder, 10);
    const refused = ({ code, stdout, stderr }: Program & { readonly code: number | null }) => {
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /^floodgate: [^\n]+\n$/);
    };
    const fill = spawnSync('dd', ['if=/dev/zero', `of=${join(folder, 'ballast')}`, 'bs=4096']);
    assert.notEqual(fill.status, 0, 'the disk is not full');
    const full = await Program.run(t, { folder, env });
    refused(full);
    assert.match(full.stderr, /cannot open .*: (database or disk is full|disk I\/O error)/);
    rmSync(join(folder, 'ballast'));
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', folder]).status, 0);
    const readOnly = await Program.run(t, { folder, env });
    refused(readOnly);
    assert.match(readOnly.stderr, /cannot open .*: (unable to open|attempt to write a readonly)/);
  });
});
