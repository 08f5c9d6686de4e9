// Events that another process has made: learned from the ledger when somebody asks for an event that is not known
// here, and by a worker every second.
import type { EventId } from '@floodgate/core/ids.ts';
import { TicketLayout } from '@floodgate/core/layout.ts';
import { invariant } from '@floodgate/core/refusal.ts';
import type { InventorySnapshot } from '../inventory/inventory.ts';
import { type EventRecord, SHOP } from '../ledger/ledger.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { Rooms } from './rooms.ts';

/** Whoever asks for events that nobody has made costs at most ten small queries a second, however many ask. */
const LOOK_AT_MOST_EVERY_MS = 100;

/** An event by any text a client sent, also when another process made it a moment ago. */
export async function findEvent(rooms: Rooms, eventId: string): Promise<CatalogueEntry | undefined> {
  return rooms.catalogue.find(eventId) ?? (await lookFor(rooms, eventId));
}

/** An event that the ledger has named. */
export async function eventOf(rooms: Rooms, eventId: EventId): Promise<CatalogueEntry> {
  const entry = await findEvent(rooms, eventId);
  invariant(entry !== undefined, `event ${eventId} is in the ledger`);
  return entry;
}

async function lookFor(rooms: Rooms, eventId: string): Promise<CatalogueEntry | undefined> {
  const { catalogue } = rooms;
  const startMs = performance.now();
  if (!catalogue.lastLook || startMs - catalogue.lastLook.startMs >= LOOK_AT_MOST_EVERY_MS) {
    catalogue.lastLook = { startMs, done: learnEvents(rooms) };
  }
  await catalogue.lastLook.done;
  return catalogue.find(eventId);
}

/** Opens an event of the ledger in the inventory and the catalogue. */
export async function putOnSale(rooms: Rooms, record: EventRecord): Promise<CatalogueEntry> {
  const entry = await entryOf(rooms, record);
  await rooms.inventory.open(entry, () => snapshotOf(rooms, entry.eventId));
  rooms.catalogue.put(entry);
  return entry;
}

/** The claims of an event as inventories see them: what staff took out of sale is as gone as what is sold. */
async function snapshotOf(rooms: Rooms, eventId: EventId): Promise<InventorySnapshot> {
  const { seq, held, sold, aside } = await rooms.ledger.claims(eventId);
  if (aside.length === 0) return { seq, held, sold };
  const gone = new Uint32Array(sold.length + aside.length);
  gone.set(sold);
  gone.set(aside, sold.length);
  return { seq, held, sold: gone };
}

async function entryOf(_rooms: Rooms, { event, version }: EventRecord): Promise<CatalogueEntry> {
  return { eventId: event.eventId, event, version, layout: new TicketLayout(event) };
}

/** Puts the events on sale that the ledger has and this process does not know. Returns how many. */
export async function learnEvents(rooms: Rooms): Promise<number> {
  const { catalogue } = rooms;
  const skip = catalogue.learned;
  const records = await rooms.ledger.events(skip);
  const unknown = records.filter(({ event }) => event.eventId !== SHOP && !catalogue.find(event.eventId));
  await Promise.all(unknown.map((record) => putOnSale(rooms, record)));
  if (skip === catalogue.learned)
    catalogue.learn(
      skip,
      records.map(({ event }) => event.eventId),
    );
  return unknown.length;
}
