// Staff keys: made and revoked by admins, facts of the shop's journal, which every process follows.
import { invariant } from '@floodgate/core/refusal.ts';
import type { Role, StaffKey } from '../identity/identity.ts';
import { type JournalEntry, type Outcome, SHOP } from '../ledger/ledger.ts';
import type { Refusal } from './refusal.ts';
import type { Rooms } from './rooms.ts';
import { postToShop } from './shop.ts';

export type { StaffKey } from '../identity/identity.ts';
export type { JournalEntry } from '../ledger/ledger.ts';

/** Entries of the shop's journal that are read at a time. */
const PAGE = 1_000;

export interface WantedKey {
  readonly name: string;
  readonly role: Role;
  readonly expiresAtMs: number | null;
}

/** Makes a key. `key` is shown now and never again; `by` says who for the audit log. */
export async function makeKey(
  rooms: Rooms,
  wanted: WantedKey,
  by: string,
): Promise<{ key: string; kept: StaffKey }> {
  const keyId = rooms.newId();
  const { key, hash } = rooms.identity.newKey(keyId);
  const fact = { keyId, ...wanted, hash, by };
  const { atMs } = committed(
    await postToShop(rooms, { kind: 'record', eventId: SHOP, as: 'key-made', fact }),
  );
  const kept = { keyId, ...wanted, hash, createdAtMs: atMs, revokedAtMs: null };
  rooms.identity.admit(kept);
  return { key, kept };
}

/** From the answer on the key opens nothing here, and within a second nowhere. Revoking again answers the same. */
export async function revokeKey(rooms: Rooms, keyId: string, by: string): Promise<StaffKey | Refusal> {
  const { identity } = rooms;
  // It may have been made, or revoked, by another process a moment ago.
  await learnStaff(rooms);
  const key = identity.key(keyId);
  if (!key) return { refusal: 'KEY_NOT_FOUND' };
  if (key.revokedAtMs !== null) return key;
  const fact = { keyId, name: key.name, by };
  const { atMs } = committed(
    await postToShop(rooms, { kind: 'record', eventId: SHOP, as: 'key-revoked', fact }),
  );
  identity.revoke(keyId, atMs);
  return identity.key(keyId)!;
}

/** All keys ever made, in that order. */
export async function listKeys(rooms: Rooms): Promise<readonly StaffKey[]> {
  await learnStaff(rooms);
  return rooms.identity.keys();
}

/** Learns which keys other processes have made and revoked. Returns how many facts were new. */
export async function learnStaff(rooms: Rooms): Promise<number> {
  const { identity, ledger } = rooms;
  let learned = 0;
  for (;;) {
    const page = await ledger.journal(SHOP, identity.learnedSeq, PAGE);
    for (const entry of page) {
      learnFact(rooms, entry);
      identity.learnedSeq = Math.max(identity.learnedSeq, entry.seq);
    }
    learned += page.length;
    if (page.length < PAGE) return learned;
  }
}

function learnFact({ identity }: Rooms, { kind, atMs, fact }: JournalEntry): void {
  if (kind === 'key-made') {
    const made = fact as unknown as Omit<StaffKey, 'createdAtMs' | 'revokedAtMs'>;
    const { keyId, name, role, hash, expiresAtMs } = made;
    identity.admit({ keyId, name, role, hash, expiresAtMs, createdAtMs: atMs, revokedAtMs: null });
  } else if (kind === 'key-revoked') identity.revoke(fact.keyId as string, atMs);
}

/** What staff did to the shop itself, oldest first; hashes of keys are nobody's business. */
export async function readChanges(rooms: Rooms, afterSeq: number, limit: number): Promise<JournalEntry[]> {
  const entries = await rooms.ledger.journal(SHOP, afterSeq, limit);
  return entries.map(({ fact: { hash: _, ...fact }, ...entry }) => ({ ...entry, fact }));
}

function committed(outcome: Outcome): Extract<Outcome, { status: 'committed' }> {
  invariant(outcome.status === 'committed', "a fact is never refused by the shop's journal");
  return outcome;
}
