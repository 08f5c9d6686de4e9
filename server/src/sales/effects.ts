// What each kind of entry does to tickets, beside what the ledger keeps: what the inventory hears when it is committed, what
// goes back when it is not, and what is in doubt when nobody knows. A new kind of entry is a row here; conduct.ts is the
// only reader.
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { AVAILABLE, type Inventory, SOLD } from '../inventory/inventory.ts';
import type { Buy, ChangeEvent, CommittedOf, Entry, Hold, Refuse, ReturnTickets } from '../ledger/ledger.ts';
import type { Doubt } from './keeping/in-doubt.ts';
import type { Shop } from './shop.ts';
import { STATE_OF } from './ticket-states.ts';

/** What is posted. A refusal moves no ticket and is conduct's own. */
export type Posted = Exclude<Entry, Refuse>;

export interface Effect<E extends Posted> {
  /** Tickets that were taken for it: they go back when nothing comes of it. */
  readonly taken: (entry: E) => readonly Ticket[];
  /** It is committed, and not before. */
  readonly settle: (
    shop: Pick<Shop, 'catalogue' | 'inventory' | 'telemetry'>,
    entry: E,
    outcome: CommittedOf<E>,
  ) => void | Promise<void>;
  /** Whose tickets the ledger has to be asked about; undefined: it moves none. */
  readonly doubt: (entry: E) => Doubt | undefined;
}

const nothing = (): void => {};
const noTickets = (): readonly Ticket[] => [];
const noDoubt = (): undefined => {};

const NONE: Effect<Posted> = { taken: noTickets, settle: nothing, doubt: noDoubt };

const claimed = (as: 'held' | 'sold'): Effect<Buy | Hold> => ({
  taken: ({ tickets }) => tickets,
  settle: ({ inventory }, { eventId, tickets }) => inventory.settle(eventId, tickets, as),
  doubt: ({ eventId, tickets }) => ({ eventId, tickets }),
});

type OfHold = Extract<Posted, { readonly kind: 'confirm' | 'extend' | 'release' | 'expire' }>;

const ofHold = (settle: Effect<OfHold>['settle']): Effect<OfHold> => ({
  taken: noTickets,
  settle,
  doubt: ({ eventId, holdId }) => ({ eventId, holdId }),
});

const ended = ofHold(({ inventory }, { eventId }, { tickets }) => inventory.giveBack(eventId, tickets));

const EFFECTS: { readonly [Kind in Posted['kind']]: Effect<Extract<Posted, { readonly kind: Kind }>> } = {
  buy: claimed('sold'),
  hold: claimed('held'),
  confirm: ofHold(({ inventory }, { eventId }, { tickets }) => inventory.settle(eventId, tickets, 'sold')),
  extend: ofHold(nothing),
  release: ended,
  expire: ended,
  'change-event': {
    taken: ({ setAside }) => setAside,
    settle: (shop, change, { seq }) => follow(shop, change, seq),
    doubt: ({ eventId, setAside, restored }) => ({ eventId, tickets: [...setAside, ...restored] }),
  },
  'return-tickets': {
    taken: noTickets,
    settle: (shop, { eventId, tickets }) => returnToSale(shop, eventId, tickets),
    doubt: ({ eventId, tickets }: ReturnTickets) => ({ eventId, tickets }),
  },
  'create-event': NONE,
  'open-shop': NONE,
  record: NONE,
  'keep-manifest': NONE,
};

export function effectOf<E extends Posted>(entry: E): Effect<E> {
  return EFFECTS[entry.kind] as unknown as Effect<E>;
}

/** The change is in the ledger: inventory and catalogue follow. What fails here is repaired by the workers. */
async function follow(
  { catalogue, inventory, telemetry }: Pick<Shop, 'catalogue' | 'inventory' | 'telemetry'>,
  { eventId, event, setAside, restored }: ChangeEvent,
  version: number,
): Promise<void> {
  try {
    await putBack(inventory, eventId, restored);
    // Last: a refusal on the new version must not be for want of what it has put back on sale.
    await catalogue.put(await catalogue.entryOf({ event, version }));
  } catch (fault) {
    telemetry.fault('the inventory could not follow a change of an event at once', fault, { eventId });
  }
  if (setAside.length > 0) inventory.settle(eventId, setAside, STATE_OF.aside);
}

/** Sold tickets go back on sale. What fails here is repaired by the workers. */
async function returnToSale(
  { inventory, telemetry }: Pick<Shop, 'inventory' | 'telemetry'>,
  eventId: EventId,
  tickets: readonly Ticket[],
): Promise<void> {
  try {
    await putBack(inventory, eventId, tickets);
  } catch (fault) {
    telemetry.fault('the inventory could not put returned tickets back on sale', fault, { eventId });
  }
}

/** In an inventory, what was sold and what was set aside is the same. */
async function putBack(
  inventory: Pick<Inventory, 'repair'>,
  eventId: EventId,
  tickets: readonly Ticket[],
): Promise<void> {
  const repairs = tickets.map((ticket) => ({ ticket, from: SOLD, to: AVAILABLE }) as const);
  if (repairs.length > 0) await inventory.repair(eventId, repairs);
}
