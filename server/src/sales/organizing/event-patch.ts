// What a request of staff makes of an event: members are replaced, null takes an optional one away, ticket types are
// changed or added by their ids. Pure; what is wrong with the result is told by the paths of the request.
import type { EventDefinition, TicketType } from '@floodgate/core/event/event.ts';
import type { Problems } from '@floodgate/core/event/input-errors.ts';
import type { TicketTypeId } from '@floodgate/core/ids.ts';

/** Null: taken away. */
type Optional<T> = T | null | undefined;

export interface TypePatch {
  readonly ticketTypeId: string;
  readonly name?: string | undefined;
  readonly description?: Optional<string>;
  readonly price?: number | undefined;
  readonly currency?: string | undefined;
  readonly capacity?: number | undefined;
  readonly category?: Optional<string>;
  readonly saleStartsAt?: Optional<string>;
  readonly saleEndsAt?: Optional<string>;
  readonly minPerOrder?: Optional<number>;
  readonly maxPerOrder?: Optional<number>;
  readonly limitPerBuyer?: Optional<number>;
  readonly accessCode?: Optional<string>;
}

export interface EventPatch {
  readonly name?: string | undefined;
  readonly description?: Optional<string>;
  readonly venue?: EventDefinition['venue'] | undefined;
  readonly startsAt?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly onSaleAt?: Optional<string>;
  readonly endsAt?: Optional<string>;
  readonly maxPerOrder?: Optional<number>;
  readonly limitPerBuyer?: Optional<number>;
  readonly holdsPerBuyer?: Optional<number>;
  readonly ticketTypes?: readonly TypePatch[] | undefined;
}

/** The event with the request's members; of `problems` there are some when that is no event. */
export function patched(
  event: EventDefinition,
  patch: EventPatch,
): { event: EventDefinition; problems: Problems } {
  const { ticketTypes = [], ...members } = patch;
  const problems: Record<string, string> = {};
  const types = [...event.ticketTypes];
  const named = new Set<string>();
  for (const [index, change] of ticketTypes.entries()) {
    const path = `ticketTypes.${index}`;
    if (named.has(change.ticketTypeId)) problems[`${path}.ticketTypeId`] = 'is named twice';
    named.add(change.ticketTypeId);
    const at = types.findIndex(({ ticketTypeId }) => ticketTypeId === change.ticketTypeId);
    if (at === -1) types.push(newType(event, change, path, problems));
    else types[at] = changedType(types[at]!, change, path, problems);
  }
  return { event: { ...event, ...saidIn(members), ticketTypes: types }, problems };
}

function changedType(
  type: TicketType,
  change: TypePatch,
  path: string,
  problems: Record<string, string>,
): TicketType {
  if (change.category !== undefined && (change.category ?? undefined) !== type.category) {
    problems[`${path}.category`] =
      'cannot be changed: its tickets are numbered by it. Add a ticket type instead';
  }
  return { ...type, ...saidIn(change), ticketTypeId: type.ticketTypeId, category: type.category };
}

function newType(
  event: EventDefinition,
  change: TypePatch,
  path: string,
  problems: Record<string, string>,
): TicketType {
  for (const member of ['name', 'price', 'capacity'] as const) {
    if (change[member] === undefined) problems[`${path}.${member}`] = 'is required for a new ticket type';
  }
  const { ticketTypeId, name = '-', price = 0, capacity = 0, ...others } = change;
  const currency = change.currency ?? event.ticketTypes[0]!.currency;
  const id = ticketTypeId as TicketTypeId;
  return { ...saidIn(others), ticketTypeId: id, name, price, capacity, currency };
}

/** What the request says: members that are null become undefined, those that are undefined change nothing. */
function saidIn(members: object): object {
  const said = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said.map(([name, value]) => [name, value ?? undefined]));
}

/** Problems of the event by the paths of the request that made it: its ticket types stand elsewhere there. */
export function asRequested(problems: Problems, event: EventDefinition, patch: EventPatch): Problems {
  const places = new Map((patch.ticketTypes ?? []).map(({ ticketTypeId }, index) => [ticketTypeId, index]));
  return Object.fromEntries(
    Object.entries(problems).map(([path, sentence]) => {
      const [, index, member] = /^ticketTypes\.(\d+)\.(.+)$/.exec(path) ?? [];
      if (index === undefined) return [path, sentence];
      const { ticketTypeId } = event.ticketTypes[Number(index)]!;
      const place = places.get(ticketTypeId);
      return place === undefined
        ? [path, `of "${ticketTypeId}" ${sentence}`]
        : [`ticketTypes.${place}.${member}`, sentence];
    }),
  );
}
