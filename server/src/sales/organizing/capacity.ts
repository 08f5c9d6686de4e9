// Capacities that grow and shrink while tickets sell. Ticket numbers are for ever: growth first puts back on sale what
// was withdrawn earlier, then adds numbers at the end; shrinking takes free tickets out of sale.
import { type Block, type EventDefinition, MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import type { AllocationId, Ticket } from '@floodgate/core/ids.ts';
import { blocksFor, type TicketLayout } from '@floodgate/core/seating/layout.ts';
import { withAside, withdrawnOf, withoutTickets } from '@floodgate/core/seating/out-of-sale.ts';
import type { AnyWant } from '../../inventory/inventory.ts';

export interface Resizing {
  /** Free tickets that have to be taken out of sale. */
  readonly wants: readonly AnyWant[];
  readonly restored: readonly Ticket[];
  /** The event with its new capacities, when these are the tickets taken out of sale. */
  readonly event: (aside: readonly Ticket[], allocationId: AllocationId) => EventDefinition;
}

/**
 * What turns the event into `next`, whose ticket types have other capacities and of which some may be new. Types that
 * sell seats keep theirs.
 */
export function resize(event: EventDefinition, layout: TicketLayout, next: EventDefinition): Resizing {
  const before = new Map(event.ticketTypes.map((type) => [type.ticketTypeId, type.capacity]));
  const wants: AnyWant[] = [];
  const restored: Ticket[] = [];
  const added: Block[] = [];
  for (const { ticketTypeId, capacity } of next.ticketTypes) {
    const more = capacity - (before.get(ticketTypeId) ?? 0);
    if (more < 0) wants.push({ ticketType: ticketTypeId, quantity: -more });
    if (more <= 0) continue;
    const back = withdrawnOf(event, ticketTypeId, more);
    restored.push(...back);
    if (more > back.length) added.push({ ticketType: ticketTypeId, count: more - back.length });
  }
  const isSame = wants.length + restored.length + added.length === 0;
  const hasTypes = event.ticketTypes.length === next.ticketTypes.length;
  const blocks =
    isSame && hasTypes
      ? event.blocks
      : append(event.blocks ?? blocksFor(event.ticketTypes, layout.plan), added);
  const kept = withoutTickets(event.allocations, restored);
  return {
    wants,
    restored,
    event: (aside, allocationId) => {
      const withdrawn = { allocationId, name: 'Capacity', kind: 'withdrawn' } as const;
      const allocations =
        aside.length === 0 ? kept : withAside(kept, withdrawn, aside, (t) => layout.typeOf(t).ticketTypeId);
      return { ...next, blocks, allocations };
    },
  };
}

/** A type that grows again and again has one block at the end that grows. */
function append(blocks: readonly Block[], added: readonly Block[]): readonly Block[] {
  const all = [...blocks];
  for (const block of added) {
    const last = all.at(-1);
    if (last?.ticketType === block.ticketType)
      all[all.length - 1] = { ...last, count: last.count + block.count };
    else all.push(block);
  }
  return all;
}

/** Whether the event has numbers for all these tickets: those of withdrawn ones are in use too. */
export function hasRoom(resizing: Resizing): boolean {
  const { blocks = [] } = resizing.event([], '0' as AllocationId);
  return blocks.reduce((sum, { count }) => sum + count, 0) <= MAX_EVENT_CAPACITY;
}

/** How many tickets the change takes out of sale or puts back. */
export function movedBy({ wants, restored }: Resizing): number {
  return wants.reduce((sum, { quantity }) => sum + quantity, restored.length);
}
