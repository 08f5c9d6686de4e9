// Staff keys: made and revoked by admins, facts of the shop's journal, which every process follows.

import type { Role } from '@floodgate/core/actor.ts';
import { invariant } from '@floodgate/core/assert.ts';
import type { KeyMade } from '@floodgate/core/facts.ts';
import type { Follower } from '@floodgate/core/follower.ts';
import { SHOP } from '@floodgate/core/ids.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { Identity, StaffKey } from '../../identity/identity.ts';
import type { JournalEntry, Outcome } from '../../ledger/ledger.ts';
import { post } from '../conduct.ts';
import { follow } from '../follow.ts';
import type { Shop } from '../shop.ts';

export type { StaffKey } from '../../identity/identity.ts';

export interface WantedKey {
  readonly name: string;
  readonly role: Role;
  readonly expiresAtMs: number | null;
}

/** A key that would have expired before it is made. */
export interface AlreadyExpired {
  readonly problems: { readonly expiresAt: string };
}

/** Makes a key. `key` is shown now and never again; `by` says who for the audit log. */
export async function makeKey(
  shop: Shop,
  wanted: WantedKey,
  by: string,
): Promise<{ key: string; kept: StaffKey } | AlreadyExpired> {
  if (wanted.expiresAtMs !== null && wanted.expiresAtMs <= shop.ledger.nowMs()) {
    return { problems: { expiresAt: 'must be in the future' } };
  }
  const keyId = shop.newId();
  const { key, hash } = shop.identity.newKey(keyId);
  const fact = { keyId, ...wanted, hash, by };
  const { atMs } = committed(await post(shop, { kind: 'record', eventId: SHOP, as: 'key-made', fact }));
  const kept = { keyId, ...wanted, hash, createdAtMs: atMs, revokedAtMs: null };
  shop.identity.admit(kept);
  return { key, kept };
}

/** From the answer on the key opens nothing here, and within a second nowhere. Revoking again answers the same. */
export async function revokeKey(shop: Shop, keyId: string, by: string): Promise<StaffKey | Refusal> {
  const { identity } = shop;
  // It may have been made, or revoked, by another process a moment ago.
  await learnStaff(shop);
  const key = identity.key(keyId);
  if (!key) return { refusal: 'KEY_NOT_FOUND' };
  if (key.revokedAtMs !== null) return key;
  const fact = { keyId, name: key.name, by };
  const { atMs } = committed(await post(shop, { kind: 'record', eventId: SHOP, as: 'key-revoked', fact }));
  identity.revoke(keyId, atMs);
  return identity.key(keyId)!;
}

/** All keys ever made, in that order. */
export async function listKeys(shop: Shop): Promise<readonly StaffKey[]> {
  await learnStaff(shop);
  return shop.identity.keys();
}

/** What a key is good for now, by the ledger's clock. */
export function keyStatus(
  shop: Shop,
  { expiresAtMs, revokedAtMs }: StaffKey,
): 'active' | 'expired' | 'revoked' {
  if (revokedAtMs !== null) return 'revoked';
  return expiresAtMs !== null && expiresAtMs <= shop.ledger.nowMs() ? 'expired' : 'active';
}

/** What every identity has learned of its shop's facts, and up to where. */
const followers = new WeakMap<Identity, Follower<JournalEntry>>();

/** Learns which keys other processes have made and revoked. Returns how many facts were new. */
export async function learnStaff({ identity, ledger }: Shop): Promise<number> {
  let follower = followers.get(identity);
  if (!follower) {
    follower = follow(ledger, SHOP, 0, (facts) => {
      for (const fact of facts) learnFact(identity, fact);
    });
    followers.set(identity, follower);
  }
  const before = follower.seq;
  await follower.catchUp();
  return follower.seq - before;
}

function learnFact(identity: Identity, entry: JournalEntry): void {
  const { kind, atMs, fact } = entry;
  if (kind === 'key-made') {
    const { keyId, name, role, hash, expiresAtMs } = fact;
    identity.admit({ keyId, name, role, hash, expiresAtMs, createdAtMs: atMs, revokedAtMs: null });
  } else if (kind === 'key-revoked') identity.revoke(fact.keyId, atMs);
}

type MadeEntry = Extract<JournalEntry, { readonly kind: 'key-made' }>;
/** A fact as it may be shown: hashes of keys are nobody's business. */
export type ShownEntry =
  | Exclude<JournalEntry, MadeEntry>
  | (Omit<MadeEntry, 'fact'> & { readonly fact: Omit<KeyMade, 'hash'> });

/** What staff did to the shop itself, oldest first. */
export async function readChanges(shop: Shop, afterSeq: number, limit: number): Promise<ShownEntry[]> {
  return (await shop.ledger.journal(SHOP, afterSeq, limit)).map(withoutHash);
}

function withoutHash(entry: JournalEntry): ShownEntry {
  if (entry.kind !== 'key-made') return entry;
  const { hash: _, ...fact } = entry.fact;
  return { ...entry, fact };
}

function committed(outcome: Outcome): Extract<Outcome, { status: 'committed' }> {
  invariant(outcome.status === 'committed', "a fact is never refused by the shop's journal");
  return outcome;
}
