// What the shop shows of an event's tickets. The inventory counts everything that is gone as sold; the event's
// definition knows which of it staff took out of sale. The two are learned a moment apart, so what is shown is made to
// add up (rule S2), with the tickets in question told as not available.
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { TicketTypeId } from '@floodgate/core/ids.ts';
import { rangesIn } from '@floodgate/core/seating/ticket-runs.ts';
import type { TypeCounts } from '../../inventory/inventory.ts';

/** available + pending + held + sold + allocated + killed = capacity, as the organizer set it. */
export interface ShownCounts extends TypeCounts {
  readonly allocated: number;
  readonly killed: number;
}

/** Tickets of one type that staff took out of sale, by kind. */
export interface AsideCounts {
  readonly channel: number;
  readonly kill: number;
  readonly withdrawn: number;
}

export type AsideByType = ReadonlyMap<TicketTypeId, AsideCounts>;

/** Types of which nothing is aside are not there. */
export function asideOf({ allocations }: Pick<EventDefinition, 'allocations'>): AsideByType {
  const byType = new Map<TicketTypeId, { channel: number; kill: number; withdrawn: number }>();
  for (const { ticketType, kind, tickets } of allocations ?? []) {
    const counts = byType.get(ticketType) ?? { channel: 0, kill: 0, withdrawn: 0 };
    for (const [first, end] of rangesIn(tickets)) counts[kind] += end - first;
    byType.set(ticketType, counts);
  }
  return byType;
}

/** The inventory's counts as they are shown. */
export function shownCounts(counts: readonly TypeCounts[], aside: AsideByType): readonly ShownCounts[] {
  return counts.map((type) => shownType(type, aside.get(type.ticketType)));
}

function shownType(counts: TypeCounts, aside: AsideCounts | undefined): ShownCounts {
  if (!aside) return { ...counts, allocated: 0, killed: 0 };
  const { channel: allocated, kill: killed, withdrawn } = aside;
  const gone = allocated + killed + withdrawn;
  let { available, pending, held } = counts;
  const sold = Math.max(0, counts.sold - gone);
  // What staff took a moment ago may still be counted as something else.
  let missing = Math.max(0, gone - counts.sold);
  const take = (from: number): number => {
    const taken = Math.min(from, missing);
    missing -= taken;
    return from - taken;
  };
  pending = take(pending);
  available = take(available);
  held = take(held);
  const capacity = available + pending + held + sold + allocated + killed;
  return { ticketType: counts.ticketType, capacity, available, pending, held, sold, allocated, killed };
}

/** Tickets of all types together. */
export function sumCounts(
  counts: readonly (TypeCounts & Partial<ShownCounts>)[],
): Omit<ShownCounts, 'ticketType'> {
  const sum = { capacity: 0, available: 0, pending: 0, held: 0, sold: 0, allocated: 0, killed: 0 };
  for (const type of counts) {
    sum.capacity += type.capacity;
    sum.available += type.available;
    sum.pending += type.pending;
    sum.held += type.held;
    sum.sold += type.sold;
    sum.allocated += type.allocated ?? 0;
    sum.killed += type.killed ?? 0;
  }
  return sum;
}
