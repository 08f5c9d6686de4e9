// Which tickets of an event staff took out of sale, as the event's definition has it: allocations, kills, and what a
// smaller capacity withdrew. An allocation of several ticket types is several records with one id.
import type { Allocation, EventDefinition } from '../event/event.ts';
import type { AllocationId, Ticket, TicketTypeId } from '../ids.ts';
import { fromRuns, toRuns } from './ticket-runs.ts';

type Allocations = readonly Allocation[];

/** The records with further ones, one for each ticket type of the tickets. */
export function withAside(
  allocations: Allocations | undefined,
  allocation: Pick<Allocation, 'allocationId' | 'name' | 'kind'>,
  tickets: readonly Ticket[],
  typeOf: (ticket: Ticket) => TicketTypeId,
): Allocations {
  const byType = Map.groupBy(tickets, typeOf);
  const further = [...byType].map(([ticketType, ofType]) => ({
    ...allocation,
    ticketType,
    tickets: toRuns(ofType.toSorted((a, b) => a - b)),
  }));
  return [...(allocations ?? []), ...further];
}

/** The records without these tickets; those that have none left are gone. */
export function withoutTickets(
  allocations: Allocations | undefined,
  tickets: readonly Ticket[],
): Allocations | undefined {
  if (tickets.length === 0) return allocations;
  const gone = new Set(tickets);
  const left = (allocations ?? []).flatMap((allocation) => {
    const all = fromRuns(allocation.tickets);
    const kept = all.filter((ticket) => !gone.has(ticket));
    if (kept.length === all.length) return [allocation];
    return kept.length === 0 ? [] : [{ ...allocation, tickets: toRuns(kept) }];
  });
  return left.length === 0 ? undefined : left;
}

/** Tickets of a type that a smaller capacity withdrew: up to `count` of them, those withdrawn last first. */
export function withdrawnOf(
  { allocations }: Pick<EventDefinition, 'allocations'>,
  ticketType: TicketTypeId,
  count: number,
): Ticket[] {
  const found: Ticket[] = [];
  for (const { kind, ticketType: type, tickets } of (allocations ?? []).toReversed()) {
    if (found.length >= count) break;
    if (kind === 'withdrawn' && type === ticketType)
      found.push(...fromRuns(tickets).slice(0, count - found.length));
  }
  return found;
}

/** The records of one allocation, and its tickets, ascending. Empty for one that does not exist. */
export function allocationOf(
  { allocations }: Pick<EventDefinition, 'allocations'>,
  allocationId: AllocationId | string,
): { readonly records: Allocations; readonly tickets: Ticket[] } {
  const records = (allocations ?? []).filter(
    (record) => record.allocationId === allocationId && record.kind !== 'withdrawn',
  );
  const tickets = records.flatMap((record) => fromRuns(record.tickets)).sort((a, b) => a - b);
  return { records, tickets };
}
