// Branded identifiers and the source of 64-bit time-ordered ids (mission D6).
// Pure: the clock is an argument, so a history can be replayed with the same ids.

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** An event's public name: 1–64 characters of `A–Z a–z 0–9 _ -`, chosen by the organizer or a snowflake. */
export type EventId = Branded<string, 'EventId'>;
/** A snowflake as a decimal string. */
export type OrderId = Branded<string, 'OrderId'>;
/** A snowflake as a decimal string. */
export type HoldId = Branded<string, 'HoldId'>;
/** A snowflake as a decimal string. */
export type AllocationId = Branded<string, 'AllocationId'>;
/** A ticket type's name, unique in its event: 1–32 characters of `A–Z a–z 0–9 _ -`. */
export type TicketTypeId = Branded<string, 'TicketTypeId'>;
/** A ticket's number inside its event: a dense integer `0 … capacity-1`. */
export type Ticket = Branded<number, 'Ticket'>;

/** The stream of what the shop itself does, which belongs to no event. No event can have this name. */
export const SHOP = '~shop';
/** What has a journal of its own, gapless and in order: an event, or the shop. */
export type StreamId = EventId | typeof SHOP;

/** Whether the stream is an event's. */
export function isEvent(stream: StreamId): stream is EventId {
  return stream !== SHOP;
}

const EVENT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TICKET_TYPE_ID = /^[A-Za-z0-9_-]{1,32}$/;
const SNOWFLAKE = /^[1-9][0-9]{0,18}$/;
const MAX_ID = 2n ** 63n - 1n;

/** The text as an event id, or undefined when no event can have that name. */
export function eventId(text: string): EventId | undefined {
  return EVENT_ID.test(text) ? (text as EventId) : undefined;
}

/** The text as a ticket type id, or undefined when no ticket type can have that name. */
export function ticketTypeId(text: string): TicketTypeId | undefined {
  return TICKET_TYPE_ID.test(text) ? (text as TicketTypeId) : undefined;
}

/** The text as an order id, or undefined when it is not a positive 63-bit decimal. */
export function orderId(text: string): OrderId | undefined {
  return isSnowflake(text) ? (text as OrderId) : undefined;
}

/** The text as a hold id, or undefined when it is not a positive 63-bit decimal. */
export function holdId(text: string): HoldId | undefined {
  return isSnowflake(text) ? (text as HoldId) : undefined;
}

function isSnowflake(text: string): boolean {
  return SNOWFLAKE.test(text) && (text.length < 19 || BigInt(text) <= MAX_ID);
}

/** 2026-01-01T00:00:00Z. With 41 bits of milliseconds, ids last until 2095. */
export const ID_EPOCH_MS = 1_767_225_600_000;
const NODE_BITS = 10;
const COUNTER_BITS = 12;
export const MAX_NODE_ID = 2 ** NODE_BITS - 1;
const MAX_COUNTER = 2 ** COUNTER_BITS - 1;

/**
 * Makes snowflake ids: 41 bits of milliseconds since {@link ID_EPOCH_MS}, 10 bits of node, 12 bits of counter.
 * Ids of one source strictly increase, also when the clock stands still or jumps back: then the source lives on
 * borrowed milliseconds until the clock has caught up. Two sources are apart by their node id; the ledger's
 * primary keys refuse a collision all the same.
 */
export class IdSource {
  readonly nodeId: number;
  readonly #node: bigint;
  #lastMs = 0;
  #counter = 0;
  #prefix = 0n;

  constructor(nodeId: number) {
    if (!Number.isInteger(nodeId) || nodeId < 0 || nodeId > MAX_NODE_ID) {
      throw new RangeError(`node id ${nodeId} is not an integer from 0 to ${MAX_NODE_ID}`);
    }
    this.nodeId = nodeId;
    this.#node = BigInt(nodeId) << BigInt(COUNTER_BITS);
  }

  /** The next id as a decimal string. `nowMs` is wall-clock milliseconds since 1970. */
  next(nowMs: number): string {
    const ms = Math.max(Math.floor(nowMs) - ID_EPOCH_MS, 1);
    if (ms > this.#lastMs) {
      this.#startMillisecond(ms);
    } else if (this.#counter === MAX_COUNTER) {
      this.#startMillisecond(this.#lastMs + 1);
    } else {
      this.#counter++;
    }
    return (this.#prefix | BigInt(this.#counter)).toString();
  }

  #startMillisecond(ms: number): void {
    this.#lastMs = ms;
    this.#counter = 0;
    this.#prefix = (BigInt(ms) << BigInt(NODE_BITS + COUNTER_BITS)) | this.#node;
  }
}

/** The wall-clock millisecond in which an id was made. */
export function idTimeMs(id: string): number {
  return Number(BigInt(id) >> BigInt(NODE_BITS + COUNTER_BITS)) + ID_EPOCH_MS;
}
