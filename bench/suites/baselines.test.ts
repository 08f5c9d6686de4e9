// An opponent that does not do its work would be beaten for nothing: each plain design sells what it has.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { needsServer } from '../../server/test/kit/servers/binaries.ts';
import { ask } from '../program.ts';
import { type RealStores, startStores } from '../real-stores.ts';
import { BASELINES, startBaseline } from './baselines.ts';

const TICKETS = 20;
const BUYERS = 30;
const NEEDED = needsServer('redis', 'postgres');

let stores: RealStores;
before(async () => {
  if (NEEDED.skip === false) stores = await startStores('postgres');
});
after(() => stores?.stop());

for (const { script, title } of BASELINES) {
  test(`${title}: every ticket is sold once, then it is sold out`, NEEDED, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'floodgate-baseline-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = await startBaseline({ folder }, { script, tickets: TICKETS }, await stores.fresh());
    t.after(() => program.stop());
    const buy = () => ask(program.port, 'POST', '/buy/1', { body: '{"quantity":1}' });
    const replies = await Promise.all(Array.from({ length: BUYERS }, buy));
    const sold = replies.filter(({ status }) => status === 201);
    const tickets = sold.map(({ body }) => (JSON.parse(body) as { ticket: number }).ticket);
    assert.deepEqual(
      tickets.toSorted((a, b) => a - b),
      Array.from({ length: TICKETS }, (_, i) => i + 1),
    );
    assert.equal(replies.filter(({ status }) => status === 409).length, BUYERS - TICKETS);
    const many = await ask(program.port, 'POST', '/buy/1', { body: '{"quantity":2}' });
    assert.equal(many.status, 400);
  });
}
