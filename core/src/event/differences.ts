// What of an event a change by staff made different, for the audit log: members before and after, ticket types and
// allocations by their ids, and of those only what differs.

import { rangesIn } from '../seating/ticket-runs.ts';
import type { Allocation, EventDefinition, TicketType } from './event.ts';

type Members = Readonly<Record<string, unknown>>;

export interface Differences {
  readonly before: Members;
  readonly after: Members;
}

/** Both empty when nothing differs. What only one of the two has is in that one only. */
export function differences(before: EventDefinition, after: EventDefinition): Differences {
  return diff(outline(before), outline(after));
}

/** The event with its lists as records by id. How its tickets are numbered follows from the capacities. */
function outline({ blocks: _, ticketTypes, allocations, ...members }: EventDefinition): Members {
  return {
    ...members,
    ticketTypes: Object.fromEntries(ticketTypes.map((type: TicketType) => [type.ticketTypeId, type])),
    allocations: Object.fromEntries((allocations ?? []).map((one) => [keyOf(one), summary(one)])),
  };
}

const keyOf = ({ allocationId, ticketType }: Allocation): string => `${allocationId}/${ticketType}`;

function summary({ name, kind, tickets }: Allocation): Members {
  const quantity = rangesIn(tickets).reduce((sum, [first, end]) => sum + end - first, 0);
  return { name, kind, quantity };
}

function diff(before: Members, after: Members): Differences {
  const found: { before: Record<string, unknown>; after: Record<string, unknown> } = {
    before: {},
    after: {},
  };
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (isRecord(was) && isRecord(is)) {
      const inside = diff(was, is);
      if (!isEmpty(inside.before)) found.before[name] = inside.before;
      if (!isEmpty(inside.after)) found.after[name] = inside.after;
    } else if (was !== is) {
      if (was !== undefined) found.before[name] = was;
      if (is !== undefined) found.after[name] = is;
    }
  }
  return found;
}

function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

const isEmpty = (members: Members): boolean => Object.keys(members).length === 0;
