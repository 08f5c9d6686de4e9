// The negative control: the same program with guards taken out, as WITHOUT says, so that the tests of rules S1, S8 and E1
// can be seen to fail. `inventory`: tickets in flight are proposed to everybody. `ledger`: claims are not looked up
// before they are written, and their table has no unique key. `limits`: nobody is known to have anything. `versions`: it
// does not matter what staff changed since a request was looked into. `returns`: some holds end
// and return nothing.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import type { Parts } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { MemoryInventory } from '../../src/inventory/memory/memory-inventory.ts';
import { TestSqliteLedger } from '../../src/ledger/contract/test-sqlite-ledger.ts';
import type { Belongings, ClaimCell, EventState, WorkingSet } from '../../src/ledger/judge/state.ts';
import type { Entry, Ledger } from '../../src/ledger/ledger.ts';
import { SqliteWriter } from '../../src/ledger/sqlite/writer.ts';
import { explainAndExit, openShop } from '../../src/main.ts';
import { createLog } from '../../src/telemetry/logs.ts';

class UnguardedInventory extends MemoryInventory {
  protected override markTaken(): void {}
}

class KeepingInventory extends MemoryInventory {
  readonly #held = new Set<string>();
  #returns = 0;

  override settle(eventId: EventId, tickets: readonly Ticket[], as: 'held' | 'sold'): void {
    super.settle(eventId, tickets, as);
    if (as === 'held') for (const ticket of tickets) this.#held.add(`${eventId} ${ticket}`);
    else for (const ticket of tickets) this.#held.delete(`${eventId} ${ticket}`);
  }

  override giveBack(eventId: EventId, tickets: readonly Ticket[]): void {
    const held = tickets.filter((ticket) => this.#held.delete(`${eventId} ${ticket}`));
    if (held.length === 0 || ++this.#returns % KEPT_OF !== 0) super.giveBack(eventId, tickets);
  }
}

/** One hold in this many, when it ends, returns nothing. */
const KEPT_OF = 4;

type Guard = 'inventory' | 'ledger' | 'limits' | 'versions' | 'returns';
type Without = (guard: Guard) => boolean;

/** Sees no claim, or none of a buyer's: neither those of the tables nor those made a moment ago in the same batch. */
class UnguardedWriter extends SqliteWriter {
  readonly #without: Without;

  constructor(file: string, without: Without) {
    super(file);
    this.#without = without;
  }

  protected override readClaims(event: EventState, tickets: readonly Ticket[]): void {
    if (!this.#without('ledger')) super.readClaims(event, tickets);
  }

  protected override readWorkingSet(entries: readonly Entry[]): WorkingSet {
    const set = super.readWorkingSet(entries);
    for (const [eventId, event] of set.events) {
      set.events.set(eventId, {
        ...event,
        ...(this.#without('ledger') ? { claims: new BlindClaims() } : {}),
        ...(this.#without('limits') ? { buyers: new PoorBuyers() } : {}),
      });
    }
    return set;
  }
}

class BlindClaims extends Map<Ticket, ClaimCell> {
  override get(): undefined {
    return undefined;
  }
}

class PoorBuyers extends Map<string, Belongings> {
  override get size(): number {
    return 1;
  }

  override get(): Belongings {
    return { tickets: new Set(), holds: new Set() };
  }
}

/** As a process writes it that has looked at no version of the event. */
function unversioned(entry: Entry): Entry {
  const isBuyers = entry.kind === 'buy' || entry.kind === 'hold' || entry.kind === 'confirm';
  return isBuyers ? { ...entry, version: undefined } : entry;
}

/** The tables as they are, except that a ticket may be claimed any number of times. */
function removeUniqueKey(file: string): void {
  new SqliteWriter(file).close();
  const db = new DatabaseSync(file);
  db.exec('DROP TABLE claims');
  db.exec('CREATE TABLE claims (event_no INTEGER, ticket INTEGER, kind INTEGER, claimed_by INTEGER)');
  db.close();
}

function openUnguardedLedger(file: string, without: Without): Ledger {
  if (without('ledger')) removeUniqueKey(file);
  const writer = new UnguardedWriter(file, without);
  const commit = async (entries: readonly Entry[]) => {
    if (!without('versions')) return writer.commit(entries);
    // A slow disk: so a change of staff is rarely the last of its batch.
    await sleep(20);
    return writer.commit(entries.map(unversioned));
  };
  return new TestSqliteLedger(file, undefined, writer, commit);
}

const OF_LEDGER = ['ledger', 'limits', 'versions'] as const;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  const guards = (process.env.WITHOUT ?? '').split(',');
  const without: Without = (guard) => guards.includes(guard);
  const { database } = config;
  if (database.kind !== 'sqlite') throw new Error('the control has only the SQLite ledger');
  const parts: Parts = {
    ...(without('inventory') ? { inventory: new UnguardedInventory() } : {}),
    ...(without('returns') ? { inventory: new KeepingInventory() } : {}),
    ...(OF_LEDGER.some(without) ? { ledger: openUnguardedLedger(database.file, without) } : {}),
  };
  const shop = await openShop(config, log, parts);
  log.logger.info({ port: shop.port }, 'listening');
  await log.flush();
  process.on('SIGTERM', () => void shop.close().then(() => process.exit(0)));
}

await main().catch(explainAndExit);
