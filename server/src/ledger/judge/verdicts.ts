// What the judges of all subjects share: how they say no, and what they ask of every entry.
import type { RefusalCode } from '@floodgate/core/refusal.ts';
import type { Refused } from '../ledger.ts';
import type { Broken, EventState } from './state.ts';

export const refused = (refusal: RefusalCode): Refused => ({ status: 'refused', refusal });
export const broken = (message: string): Broken => ({ status: 'broken', message });

/** Whether the request was checked against another version of the event than the one that is sold now. */
export function isStale(event: EventState, version: number | undefined): boolean {
  return version !== undefined && version !== event.version;
}

export function isTicketOf(capacity: number, ticket: number): boolean {
  return Number.isInteger(ticket) && ticket >= 0 && ticket < capacity;
}
