// Events that another process has made or changed: learned from the ledger when somebody asks for an event that is not
// known here, when the ledger refuses a claim because the event has changed, and by a worker every second.

import { invariant } from '@floodgate/core/assert.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { InventorySnapshot } from '../../inventory/inventory.ts';
import { type EventRecord, SHOP } from '../../ledger/ledger.ts';
import type { Shop } from '../shop.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { asideOf } from './counts.ts';
import { planFor } from './seat-plans.ts';

/** Whoever asks for events that nobody has made costs at most ten small queries a second, however many ask. */
const LOOK_AT_MOST_EVERY_MS = 100;

/** An event by any text a client sent, also when another process made it a moment ago. */
export async function findEvent(shop: Shop, eventId: string): Promise<CatalogueEntry | undefined> {
  return shop.catalogue.find(eventId) ?? (await lookFor(shop, eventId));
}

/** An event that the ledger has named. */
export async function eventOf(shop: Shop, eventId: EventId): Promise<CatalogueEntry> {
  const entry = await findEvent(shop, eventId);
  invariant(entry !== undefined, `event ${eventId} is in the ledger`);
  return entry;
}

async function lookFor(shop: Shop, eventId: string): Promise<CatalogueEntry | undefined> {
  const { catalogue } = shop;
  const startMs = performance.now();
  if (!catalogue.lastLook || startMs - catalogue.lastLook.startMs >= LOOK_AT_MOST_EVERY_MS) {
    catalogue.lastLook = { startMs, done: learnEvents(shop) };
  }
  await catalogue.lastLook.done;
  return catalogue.find(eventId);
}

/** Opens an event of the ledger in the inventory and the catalogue, or a newer version of one that is known. */
export async function putOnSale(shop: Shop, record: EventRecord): Promise<CatalogueEntry> {
  const { catalogue, inventory } = shop;
  const entry = await entryOf(shop, record);
  if (!catalogue.find(entry.eventId)) await inventory.open(entry, () => snapshotOf(shop, entry));
  // Also after opening: a store that others use too may have the event as it was before it grew.
  await inventory.grow(entry);
  catalogue.put(entry);
  return catalogue.find(entry.eventId)!;
}

/**
 * The event as the ledger has it now, learned if the version known here is not beyond the given one. However many ask
 * at once, the ledger is asked once. Throws when the ledger cannot be read.
 */
export async function learnEvent(
  shop: Shop,
  eventId: EventId,
  beyondVersion: number,
): Promise<CatalogueEntry> {
  const { catalogue } = shop;
  // A look that is under way may have begun before the change; the one after it sees all that is answered by now.
  for (let looks = 0; looks < 2; looks++) {
    const known = catalogue.find(eventId);
    if (known && known.version > beyondVersion) return known;
    await lookAt(shop, eventId);
  }
  const known = catalogue.find(eventId);
  invariant(known !== undefined, `event ${eventId} is in the ledger`);
  return known;
}

/** The event as the ledger has it now, for staff: what they ask for is never decided by what was true a second ago. */
export async function newestEvent(shop: Shop, eventId: string): Promise<CatalogueEntry | undefined> {
  const entry = await findEvent(shop, eventId);
  if (!entry) return undefined;
  await shop.catalogue.looks.get(entry.eventId);
  await lookAt(shop, entry.eventId);
  return shop.catalogue.find(eventId);
}

/**
 * An event that does not sell, looked up once more before a buyer is told so: another process may just have opened it.
 * At most ten times a second, however many ask; what the ledger cannot say now is as it was.
 */
export async function lookAgain(shop: Shop, entry: CatalogueEntry): Promise<CatalogueEntry> {
  const { catalogue } = shop;
  const { eventId } = entry;
  const nowMs = shop.ledger.nowMs();
  const isDue = nowMs - (catalogue.secondLooks.get(eventId) ?? -Infinity) >= LOOK_AT_MOST_EVERY_MS;
  if (isDue) catalogue.secondLooks.set(eventId, nowMs);
  const look = isDue ? lookAt(shop, eventId) : catalogue.looks.get(eventId);
  await look?.catch(() => {});
  return catalogue.find(eventId) ?? entry;
}

/** The event with all of these tickets, which another process may have added since it was learned here. */
export function entryWith(
  shop: Shop,
  entry: CatalogueEntry,
  tickets: readonly Ticket[],
): CatalogueEntry | Promise<CatalogueEntry> {
  const isKnown = tickets.every((ticket) => ticket < entry.layout.capacity);
  return isKnown ? entry : learnEvent(shop, entry.eventId, entry.version);
}

function lookAt(shop: Shop, eventId: EventId): Promise<void> {
  const { catalogue } = shop;
  const underWay = catalogue.looks.get(eventId);
  if (underWay) return underWay;
  const look = (async () => {
    const record = await shop.ledger.event(eventId);
    const known = catalogue.find(eventId);
    if (record && (!known || known.version < record.version)) await putOnSale(shop, record);
  })().finally(() => catalogue.looks.delete(eventId));
  catalogue.looks.set(eventId, look);
  return look;
}

/** Learns what other processes have changed of the events known here. Returns how many events changed. */
export async function learnChanges(shop: Shop): Promise<number> {
  const { catalogue } = shop;
  const changed = (await shop.ledger.heads()).filter(({ eventId, version }) => {
    const known = catalogue.find(eventId);
    return known !== undefined && known.version < version;
  });
  await Promise.all(changed.map(({ eventId, version }) => learnEvent(shop, eventId, version - 1)));
  return changed.length;
}

/**
 * The claims of an event as inventories see them: what staff took out of sale is as gone as what is sold. Tickets of a
 * longer layout, which is not known here yet, are left out: the ledger refuses them when they are proposed.
 */
async function snapshotOf(shop: Shop, entry: CatalogueEntry): Promise<InventorySnapshot> {
  const { seq, held, sold, aside } = await shop.ledger.claims(entry.eventId);
  const { capacity } = (shop.catalogue.find(entry.eventId) ?? entry).layout;
  const known = (tickets: Uint32Array) => tickets.filter((ticket) => ticket < capacity);
  const gone = new Uint32Array(sold.length + aside.length);
  gone.set(sold);
  gone.set(aside, sold.length);
  return { seq, held: known(held), sold: known(gone) };
}

/** A version of an event with what follows from it. */
export async function entryOf(shop: Shop, { event, version }: EventRecord): Promise<CatalogueEntry> {
  const layout = new TicketLayout(event, await planFor(shop, event));
  return { eventId: event.eventId, event, version, layout, aside: asideOf(event) };
}

/** Puts the events on sale that the ledger has and this process does not know. Returns how many. */
export async function learnEvents(shop: Shop): Promise<number> {
  const { catalogue } = shop;
  const skip = catalogue.learned;
  const records = await shop.ledger.events(skip);
  const unknown = records.filter(({ event }) => event.eventId !== SHOP && !catalogue.find(event.eventId));
  await Promise.all(unknown.map((record) => putOnSale(shop, record)));
  if (skip === catalogue.learned)
    catalogue.learn(
      skip,
      records.map(({ event }) => event.eventId),
    );
  return unknown.length;
}
