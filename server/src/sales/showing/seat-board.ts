// Which seats of an event are free, for everybody who looks at the map. Made from the ledger's journal, not from the
// inventory: so the version is the event's sequence number, the same in every process, and a client that has seen one version
// is told only what changed since. Read when somebody asks, at most a few times a second, however many look.
import { type TicketState, ticketMoves } from '@floodgate/core/facts.ts';
import type { Follower } from '@floodgate/core/follower.ts';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { toRuns } from '@floodgate/core/seating/ticket-runs.ts';
import type { JournalEntry } from '../../ledger/ledger.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';
import { follow } from '../follow.ts';
import type { Shop } from '../shop.ts';

/** As they stand in the body, two bits a seat. */
export const SEAT_STATUSES = ['available', 'held', 'sold', 'unavailable'] as const;
export type SeatStatus = (typeof SEAT_STATUSES)[number];
type Code = 0 | 1 | 2 | 3;

const CODES: Readonly<Record<TicketState, Code>> = { free: 0, held: 1, sold: 2, aside: 3 };

/** The map is at most this old. */
const MAX_AGE_MS = 250;
/** Of the journal, in one look. */
const MAX_PAGES = 10;
/** This many changes of seats are remembered for clients that ask what is new. */
const MAX_REMEMBERED = 50_000;

interface Change {
  readonly seq: number;
  readonly ticket: Ticket;
  readonly to: Code;
}

export interface SeatChanges {
  /** What the changes lead to. */
  readonly version: number;
  /** By status: the tickets that have it now, like "12-40,77". */
  readonly changes: Readonly<Partial<Record<SeatStatus, string>>>;
}

/** The seats of one event. */
export class SeatBoard {
  readonly #shop: Pick<Shop, 'ledger'>;
  readonly #eventId: EventId;
  readonly #codes: Uint8Array;
  /** Knows up to where the journal is in the map; nowhere, before the claims were read. */
  readonly #follower: Follower<JournalEntry>;
  #isRead = false;
  /** The last fact that changed a seat. */
  #version = 0;
  /** Changes after this version are remembered, in order. */
  #rememberedFrom = 0;
  #remembered: Change[] = [];
  #packed: string | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(shop: Pick<Shop, 'ledger'>, eventId: EventId, seats: number) {
    this.#shop = shop;
    this.#eventId = eventId;
    this.#codes = new Uint8Array(seats);
    this.#follower = follow(shop.ledger, eventId, 0, (facts) => {
      for (const fact of facts) this.#apply(fact);
    });
  }

  get seats(): number {
    return this.#codes.length;
  }

  /** Moves with every change of a seat. */
  get version(): number {
    return this.#version;
  }

  /** Undefined when the map is fresh enough; else resolves when it is. */
  refresh(): Promise<void> | undefined {
    if (performance.now() - this.#lookedAtMs < MAX_AGE_MS) return undefined;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Two bits a seat, in the order of the ticket numbers, the first in the highest bits; base64. */
  packed(): string {
    this.#packed ??= pack(this.#codes);
    return this.#packed;
  }

  /** What changed since a version; undefined when that is too long ago to be known. */
  changesSince(version: number): SeatChanges | undefined {
    if (version < this.#rememberedFrom || version > this.#version) return undefined;
    const changed = new Set<Ticket>();
    for (let at = this.#remembered.length - 1; at >= 0; at--) {
      const change = this.#remembered[at]!;
      if (change.seq <= version) break;
      changed.add(change.ticket);
    }
    const tickets = [...changed].sort((a, b) => a - b);
    const changes: Partial<Record<SeatStatus, string>> = {};
    for (const [code, status] of SEAT_STATUSES.entries()) {
      const now = tickets.filter((ticket) => this.#codes[ticket] === code);
      if (now.length > 0) changes[status] = toRuns(now);
    }
    return { version: this.#version, changes };
  }

  async #look(): Promise<void> {
    const startMs = performance.now();
    // Who is too far behind reads the claims instead of the journal.
    if (!this.#isRead || !(await this.#follower.read(MAX_PAGES))) await this.#readClaims();
    this.#lookedAtMs = startMs;
  }

  async #readClaims(): Promise<void> {
    const { seq, held, sold, aside } = await this.#shop.ledger.claims(this.#eventId);
    this.#codes.fill(0);
    for (const [code, tickets] of [held, sold, aside].entries()) {
      for (const ticket of tickets) if (ticket < this.seats) this.#codes[ticket] = code + 1;
    }
    this.#follower.moveTo(seq);
    this.#isRead = true;
    this.#version = seq;
    this.#rememberedFrom = seq;
    this.#remembered = [];
    this.#packed = undefined;
  }

  #apply(entry: JournalEntry): void {
    for (const { tickets, to } of ticketMoves(entry)) this.#move(entry.seq, tickets, CODES[to]);
  }

  #move(seq: number, tickets: readonly Ticket[], to: Code): void {
    for (const ticket of tickets) {
      if (ticket >= this.seats || this.#codes[ticket] === to) continue;
      this.#codes[ticket] = to;
      this.#remembered.push({ seq, ticket, to });
      this.#version = seq;
      this.#packed = undefined;
    }
    if (this.#remembered.length > 2 * MAX_REMEMBERED) {
      const forgotten = this.#remembered.splice(0, this.#remembered.length - MAX_REMEMBERED);
      this.#rememberedFrom = forgotten.at(-1)!.seq;
    }
  }
}

function pack(codes: Uint8Array): string {
  const bytes = Buffer.alloc(Math.ceil(codes.length / 4));
  for (let seat = 0; seat < codes.length; seat++) bytes[seat >>> 2]! |= codes[seat]! << (6 - 2 * (seat & 3));
  return bytes.toString('base64');
}

/** The boards of the events that somebody looks at. */
export class SeatBoards {
  readonly #shop: Pick<Shop, 'ledger'>;
  readonly #boards = new Map<EventId, SeatBoard>();

  constructor(shop: Pick<Shop, 'ledger'>) {
    this.#shop = shop;
  }

  /** Undefined for an event without seats. */
  of({ eventId, layout }: CatalogueEntry): SeatBoard | undefined {
    const seats = layout.plan?.seats ?? 0;
    if (seats === 0) return undefined;
    let board = this.#boards.get(eventId);
    if (board?.seats !== seats) {
      board = new SeatBoard(this.#shop, eventId, seats);
      this.#boards.set(eventId, board);
    }
    return board;
  }
}
