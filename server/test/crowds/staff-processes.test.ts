// Two processes that are one shop, on a database server: keys and sessions of one are good at the other, and what is
// revoked at one is soon worth nothing at the other.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { madeKeyAnswer, myTicketsAnswer, sessionAnswer } from '../../src/contract/access.ts';
import { boughtAnswer } from '../../src/contract/buying.ts';
import { contentOf } from '../kit/answers.ts';
import { tokenOf } from '../kit/forge.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../kit/servers/postgres.ts';
import { ask } from '../kit/test-shop.ts';

/** Processes read the journal every second. */
const SOON_MS = patienceMs(2_000);

describe('staff at two processes', { timeout: patienceMs(24_000), ...needsServer('postgres') }, () => {
  let postgres: PostgresServer;
  let here: ServerProcess;
  let there: ServerProcess;
  before(async () => {
    postgres = await startPostgres();
    const env = { DATABASE_URL: await postgres.createDatabase() };
    here = await ServerProcess.start({ events: 1, tickets: 20, env });
    there = await ServerProcess.start({ events: 1, tickets: 20, env });
  });
  after(async () => {
    await Promise.all([here?.remove(), there?.remove()]);
    await postgres?.stop();
  });

  const bearer = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } });
  const audit = async (at: ServerProcess, key: string) =>
    (await ask(at.port, 'GET', '/api/v1/events/1/audit', bearer(key))).status;
  async function soon(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const startMs = performance.now();
    while (!(await isSo())) {
      assert.ok(performance.now() - startMs < SOON_MS, what);
      await sleep(50);
    }
  }

  test('[D9] a key made at one opens the doors of both, and revoked at one soon opens neither', async () => {
    const body = { name: 'Everywhere', role: 'read' };
    const made = await ask(here.port, 'POST', '/api/v1/api-keys', { asStaff: true, body });
    const { key, keyId } = contentOf(made, 201, madeKeyAnswer);
    assert.equal(await audit(here, key), 200, 'at once');
    await soon('the other process learns of the key', async () => (await audit(there, key)) === 200);
    const revoked = await ask(there.port, 'DELETE', `/api/v1/api-keys/${keyId}`, { asStaff: true });
    assert.equal(revoked.status, 200);
    assert.equal(await audit(there, key), 401, 'at once');
    await soon('the first process learns that it is revoked', async () => (await audit(here, key)) === 401);
  });

  test('[D9] [C3] sessions and tokens are the same buyer at both', async () => {
    const started = await ask(here.port, 'POST', '/api/v1/sessions');
    const session = contentOf(started, 201, sessionAnswer);
    for (const credential of [session.token, tokenOf('ann')]) {
      const orders = [];
      for (const { port } of [here, there]) {
        const bought = await ask(port, 'POST', '/buy/1', bearer(credential));
        orders.unshift(contentOf(bought, 201, boughtAnswer).orderId);
      }
      for (const { port } of [here, there]) {
        const reply = await ask(port, 'GET', '/api/v1/me/tickets', bearer(credential));
        const mine = contentOf(reply, 200, myTicketsAnswer).orders.map(({ orderId }) => orderId);
        assert.deepEqual(mine.toSorted(), orders.toSorted());
      }
    }
  });
});
