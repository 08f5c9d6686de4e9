// Several processes on one ledger: what an admin does with keys at one of them, the others learn from the journal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BadCredential } from '@floodgate/core/actor.ts';
import { SHOP } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import { MemoryShop } from '../../../test/kit/memory-shop.ts';
import type { Shop } from '../shop.ts';
import { learnStaff, listKeys, makeKey, readChanges, revokeKey } from './staff-keys.ts';
import { actorOf } from './who.ts';

/** The rooms of that many processes, over one ledger. */
async function processes(count: number): Promise<Shop[]> {
  const shop = await MemoryShop.open(1);
  const all: Shop[] = [];
  for (let i = 0; i < count; i++) {
    all.push(shop.inside);
    await shop.crash();
  }
  return all;
}

const WANTED = { name: 'Gate', role: 'door', expiresAtMs: null } as const;
/** A key that is good. */
async function newKey(...command: Parameters<typeof makeKey>) {
  const key = await makeKey(...command);
  assert.ok('key' in key);
  return key;
}

const ask = async (rooms: Shop, bearer: string) => actorOf(rooms, { bearer, session: undefined });
const opens = async (rooms: Shop, key: string) => (await ask(rooms, key)).kind === 'staff';

test('a key opens at once where it was made, and elsewhere when the journal was read', async () => {
  const [here, there] = (await processes(2)) as [Shop, Shop];
  const { key, kept } = await newKey(here, WANTED, 'the boss');
  assert.deepEqual([await opens(here, key), await opens(there, key)], [true, false]);
  assert.ok((await learnStaff(there)) > 0);
  assert.equal(await opens(there, key), true);
  assert.equal(await learnStaff(there), 0, 'each fact is read once');
  assert.deepEqual(there.identity.keys(), [kept]);
});

test('a revoked key opens nothing where it was revoked, and elsewhere when the journal was read', async () => {
  const [here, there, later] = (await processes(3)) as [Shop, Shop, Shop];
  const { key, kept } = await newKey(here, WANTED, 'the boss');
  // Revoked by a process that has not heard of the key.
  const revoked = await revokeKey(there, kept.keyId, 'the other boss');
  assert.ok(!('refusal' in revoked) && revoked.revokedAtMs !== null);
  assert.deepEqual([await opens(there, key), await opens(here, key)], [false, true]);
  await learnStaff(here);
  assert.match(((await ask(here, key)) as BadCredential).why, /revoked/);
  assert.deepEqual(await revokeKey(later, kept.keyId, 'a third'), revoked, 'again: the same');
  assert.equal((await readChanges(here, 0, 100)).filter(({ kind }) => kind === 'key-revoked').length, 1);
});

test('an unknown key cannot be revoked, also before there was any', async () => {
  const [rooms] = (await processes(1)) as [Shop];
  for (const keyId of ['1', '', '__proto__', 'x'.repeat(1_000)]) {
    assert.deepEqual(await revokeKey(rooms, keyId, 'the boss'), { refusal: 'KEY_NOT_FOUND' });
  }
  assert.deepEqual(await rooms.ledger.journal(SHOP, 0, 10), []);
  assert.deepEqual(await listKeys(rooms), []);
});

test('the journal says who made and revoked what, and no key can be found from it', async () => {
  const [rooms] = (await processes(1)) as [Shop];
  const { key, kept } = await newKey(rooms, WANTED, 'the boss');
  await revokeKey(rooms, kept.keyId, 'the other boss');
  const all = await readChanges(rooms, 0, 100);
  const facts = all
    .filter(({ kind }) => kind.startsWith('key-'))
    .map(({ kind, fact }) => ({ kind, ...fact }));
  assert.deepEqual(facts, [
    { kind: 'key-made', keyId: kept.keyId, ...WANTED, by: 'the boss' },
    { kind: 'key-revoked', keyId: kept.keyId, name: 'Gate', by: 'the other boss' },
  ]);
  const raw = JSON.stringify(await rooms.ledger.journal(SHOP, 0, 100));
  assert.ok(!raw.includes(key.slice(-43)), 'the secret is nowhere');
});

type Step = 'make' | 'revoke' | 'learn';
const steps = fc.array(
  fc.record({ at: fc.nat(2), step: fc.constantFrom<Step>('make', 'revoke', 'learn'), which: fc.nat(20) }),
  { maxLength: 25 },
);

test('whatever is made and revoked where, processes agree once they have read the journal', async () => {
  const agree = fc.asyncProperty(steps, async (script) => {
    const all = await processes(4);
    const made: string[] = [];
    const keys = new Map<string, string>();
    const revoked = new Set<string>();
    for (const { at, step, which } of script) {
      const rooms = all[at]!;
      if (step === 'learn') await learnStaff(rooms);
      else if (step === 'make') {
        const { key, kept } = await newKey(rooms, WANTED, 'the boss');
        made.push(kept.keyId);
        keys.set(kept.keyId, key);
        assert.ok(await opens(rooms, key));
      } else if (made.length > 0) {
        const keyId = made[which % made.length]!;
        await revokeKey(rooms, keyId, 'the boss');
        revoked.add(keyId);
        assert.ok(!(await opens(rooms, keys.get(keyId)!)), 'from the answer on, here');
      }
    }
    for (const rooms of all) {
      await learnStaff(rooms);
      for (const [keyId, key] of keys) assert.equal(await opens(rooms, key), !revoked.has(keyId));
    }
    // In the order of the journal where they were only read.
    const read = all[3]!.identity.keys().map(({ keyId }) => keyId);
    assert.deepEqual(read, made);
  });
  await fc.assert(agree, { numRuns: 60 });
});
