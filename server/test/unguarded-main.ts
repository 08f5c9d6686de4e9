// The negative control: the same program with the guards of rule S1 taken out, as WITHOUT says, so that the
// stampede test can be seen to fail. `inventory`: tickets in flight are proposed to everybody. `ledger`: claims are
// not looked up before they are written, and their table has no unique key.
import { DatabaseSync } from 'node:sqlite';
import type { Ticket } from '@floodgate/core/ids.ts';
import { readConfig } from '../src/config.ts';
import { MemoryInventory } from '../src/inventory/memory-inventory.ts';
import type { ClaimCell, WorkingSet } from '../src/ledger/batch-state.ts';
import { GroupCommit } from '../src/ledger/group-commit.ts';
import type { Entry, Ledger } from '../src/ledger/ledger.ts';
import { SqliteReader } from '../src/ledger/sqlite/reader.ts';
import { SqliteWriter } from '../src/ledger/sqlite/writer.ts';
import { explainAndExit, openShop } from '../src/main.ts';
import type { Parts } from '../src/stores.ts';
import { createLog } from '../src/telemetry/logs.ts';

class UnguardedInventory extends MemoryInventory {
  protected override markTaken(): void {}
}

/** Sees no claim, neither those of the table nor those made a moment ago in the same batch. */
class UnguardedWriter extends SqliteWriter {
  protected override readClaims(): void {}

  protected override readWorkingSet(entries: readonly Entry[]): WorkingSet {
    const set = super.readWorkingSet(entries);
    for (const [eventId, event] of set.events)
      set.events.set(eventId, { ...event, claims: new BlindClaims() });
    return set;
  }
}

class BlindClaims extends Map<Ticket, ClaimCell> {
  override get(): undefined {
    return undefined;
  }
}

/** The tables as they are, except that a ticket may be claimed any number of times. */
function removeUniqueKey(file: string): void {
  new SqliteWriter(file).close();
  const db = new DatabaseSync(file);
  db.exec('DROP TABLE claims');
  db.exec('CREATE TABLE claims (event_no INTEGER, ticket INTEGER, sold INTEGER, claimed_by INTEGER)');
  db.close();
}

function openUnguardedLedger(file: string): Ledger {
  removeUniqueKey(file);
  const writer = new UnguardedWriter(file);
  const reader = new SqliteReader(file);
  const commit = async (entries: Entry[]) => writer.commit(entries);
  const commits = new GroupCommit(commit, { maxBatch: 1_000, maxWaiting: 20_000 });
  return {
    post: (entry) => commits.post(entry),
    isWritable: () => commits.isWritable,
    nowMs: () => writer.nowMs(),
    events: async (skip) => reader.events(skip),
    event: async (eventId) => reader.event(eventId),
    heads: async () => reader.heads(),
    order: async (orderId) => reader.order(orderId),
    hold: async (holdId) => reader.hold(holdId),
    orders: async (eventId, afterSeq, limit) => reader.orders(eventId, afterSeq, limit),
    ordersOf: async (buyer, beforeId, limit) => reader.ordersOf(buyer, beforeId, limit),
    nextDeadline: async (eventId) => reader.nextDeadline(eventId),
    manifest: async (manifestId) => reader.manifest(manifestId),
    dueHolds: async (nowMs, limit) => reader.dueHolds(nowMs, limit),
    journal: async (eventId, afterSeq, limit) => reader.journal(eventId, afterSeq, limit),
    claims: async (eventId) => reader.claims(eventId),
    claimsOf: async (eventId, tickets) => reader.claimsOf(eventId, tickets),
    keptKeys: async () => reader.keptKeys(),
    audit: async (eventId) => reader.audit(eventId),
    async close() {
      await commits.close();
      reader.close();
      writer.close();
    },
  };
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const without = (process.env.WITHOUT ?? '').split(',');
  const { database } = config;
  if (database.kind !== 'sqlite') throw new Error('the control has only the SQLite ledger');
  const parts: Parts = {
    ...(without.includes('inventory') ? { inventory: new UnguardedInventory() } : {}),
    ...(without.includes('ledger') ? { ledger: openUnguardedLedger(database.file) } : {}),
  };
  const shop = await openShop(config, log, parts);
  log.logger.info({ port: shop.port }, 'listening');
  await log.flush();
  process.on('SIGTERM', () => void shop.close().then(() => process.exit(0)));
}

await main().catch(explainAndExit);
