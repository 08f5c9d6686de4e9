// A house with seats, aisles, places for wheelchairs and two kinds of general admission, made through the API, and what
// its crowd asks for: the same good seats by name, the best for parties, tickets of several types at once.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { HttpClient } from './load.ts';
import { API_KEY } from './server-process.ts';
import type { Asked, Claim } from './workload.ts';

const row = (name: string, seats: string, rest: object = {}) => ({ row: name, seats, ...rest });
const MANIFEST = {
  name: 'House',
  sections: [
    {
      ...{ section: 'Stalls', category: 'stalls' },
      rows: [
        row('A', '1-10|11-20', { categories: { box: '1-3' } }),
        row('B', '1-10|11-20', { categories: { box: '1-3' } }),
        ...['C', 'D', 'E', 'F', 'G'].map((name) => row(name, '1-5|6-15|16-20')),
        row('H', '1-10|11-20', { accessible: '1,20', companion: '2,19' }),
      ],
    },
    {
      ...{ section: 'Circle', category: 'circle', focus: 'left' },
      rows: ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'].map((name) => row(name, '1-20')),
    },
    {
      ...{ section: 'Balcony', category: 'circle' },
      rows: [
        ...['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K'].map((name) => row(name, '1-12|13-20')),
        row('L', '1-12|13-20', { accessible: '1', companion: '2' }),
      ],
    },
    { section: 'Floor', category: 'floor', capacity: 120 },
  ],
};
/** Without seats; its capacity may be changed. */
export const GA = 'ga';
const GA_TICKETS = 60;
export const LIMITS = { ticketsPerBuyer: 6, holdsPerBuyer: 2 };
const TYPES = ['box', 'stalls', 'circle', 'floor'];

export interface HouseSeat {
  readonly ticket: number;
  readonly name: string;
  readonly section: string;
  readonly row: string;
  readonly ticketType: string;
  readonly kind: 'general' | 'accessible';
  /** Seats of one stretch have no aisle between them. */
  readonly stretch: number;
}

/** What a test has to know of the event to judge answers about it: from the seat map that buyers get. */
export interface House {
  readonly eventId: string;
  /** By ticket number. */
  readonly seats: readonly HouseSeat[];
  /** Ticket numbers when it was made, in their order. */
  readonly blocks: readonly { readonly ticketType: string; readonly count: number }[];
}

export interface StaffReply {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** As staff, by any process. Rejects when no answer comes. */
export async function asStaff(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  ifMatch?: string,
): Promise<StaffReply> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method, signal: AbortSignal.timeout(patienceMs(2_000)) },
    headers: {
      ...{ authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    etag: reply.headers.get('etag') ?? undefined,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** Makes the event at one process. */
export async function makeHouse(port: number, client: HttpClient, eventId: string): Promise<House> {
  const kept = await asStaff(port, 'POST', '/api/v1/manifests', MANIFEST);
  assert.equal(kept.status, 201, JSON.stringify(kept.body));
  const type = (ticketTypeId: string, rest: object) => ({
    ...{ ticketTypeId, name: ticketTypeId, price: 0, currency: 'EUR' },
    ...rest,
  });
  const made = await asStaff(port, 'POST', '/api/v1/events', {
    ...{
      eventId,
      name: 'House',
      venue: { name: 'House' },
      startsAt: '2030-01-01T20:00:00Z',
      timeZone: 'UTC',
    },
    ...{ manifestId: kept.body.manifestId, limitPerBuyer: LIMITS.ticketsPerBuyer },
    holdsPerBuyer: LIMITS.holdsPerBuyer,
    ticketTypes: [
      ...TYPES.map((category) => type(category, { category })),
      type(GA, { capacity: GA_TICKETS }),
    ],
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return readHouse(client, eventId);
}

interface SeatMap {
  readonly sections: readonly {
    readonly section: string;
    readonly capacity?: number;
    readonly rows?: readonly { readonly row: string; readonly segments: readonly Segment[] }[];
  }[];
}
interface Segment {
  readonly ticketType: string;
  readonly firstTicket: number;
  readonly seats: readonly string[];
  readonly accessible?: readonly number[];
  readonly companion?: readonly number[];
}

async function readHouse(client: HttpClient, eventId: string): Promise<House> {
  const map = await client.read<SeatMap>(`/api/v1/events/${eventId}/manifest`);
  let stretch = 0;
  const seats = map.sections
    .flatMap(({ section, rows = [] }) =>
      rows.flatMap(({ row, segments }) =>
        segments.flatMap((segment) => {
          stretch++;
          return segment.seats.map((seat, index): HouseSeat => {
            const isApart = segment.accessible?.includes(index) || segment.companion?.includes(index);
            const { ticketType, firstTicket } = segment;
            return {
              ...{ ticket: firstTicket + index, name: `${section}/${row}/${seat}`, section, row, ticketType },
              ...{ kind: isApart ? 'accessible' : 'general', stretch },
            };
          });
        }),
      ),
    )
    .sort((a, b) => a.ticket - b.ticket);
  assert.ok(seats.every(({ ticket }, index) => ticket === index));
  const floor = map.sections.find(({ section }) => section === 'Floor')!.capacity!;
  const blocks: { ticketType: string; count: number }[] = [];
  for (const { ticketType } of seats) {
    const last = blocks.at(-1);
    if (last?.ticketType === ticketType) last.count++;
    else blocks.push({ ticketType, count: 1 });
  }
  const standing = [
    { ticketType: 'floor', count: floor },
    { ticketType: GA, count: GA_TICKETS },
  ];
  return { eventId, seats, blocks: [...blocks, ...standing] };
}

type Line =
  | { readonly seats: readonly string[] }
  | { readonly ticketType: string; readonly quantity: number }
  | {
      readonly ticketType: string;
      readonly bestAvailable: number;
      readonly section?: string;
      readonly accessible?: true;
      readonly together?: true;
    };

/** What the body of a claim asks for. */
export interface Wish {
  readonly lines: readonly Line[];
  readonly buyer: string;
}

export function numberOf(line: Line): number {
  if ('seats' in line) return line.seats.length;
  return 'quantity' in line ? line.quantity : line.bestAvailable;
}

interface Purchase {
  readonly quantity: number;
  readonly ticketType?: string;
  readonly buyer?: string;
  readonly skuId?: string;
  readonly userId?: string;
}

/** Of the body of any claim, as lines. */
export function wishOf(kind: string, body: string): Wish {
  const sent = JSON.parse(body) as Wish & Purchase;
  if (kind === 'hold') return sent;
  const { quantity, skuId = '', ticketType = skuId.split(':')[1]!, userId = '', buyer = userId } = sent;
  const isSeated = ticketType !== GA && ticketType !== 'floor';
  return { buyer, lines: [isSeated ? { ticketType, bestAvailable: quantity } : { ticketType, quantity }] };
}

/** Invents claims: `buyers` share those that have a key, the others have a buyer each. */
export class Wishes {
  readonly #random: () => number;
  readonly #buyers: number;
  readonly #seatsOf = new Map<string, readonly HouseSeat[]>();

  constructor(random: () => number, buyers: number) {
    this.#random = random;
    this.#buyers = buyers;
  }

  add({ eventId, seats }: House): void {
    this.#seatsOf.set(eventId, seats);
  }

  readonly claim = ({ kind, eventId, opId, keyed }: Asked): Claim => {
    const buyer = keyed ? `buyer-${this.#upTo(this.#buyers)}` : opId;
    if (kind !== 'hold') {
      const quantity = this.#upTo(3);
      const ticketType = this.#any([...TYPES, GA]);
      const skuId = `${eventId}:${ticketType}`;
      const wish = kind === 'buy' ? { ticketType, quantity, buyer } : { userId: buyer, skuId, quantity };
      return { quantity, body: JSON.stringify(wish) };
    }
    const lines = this.#lines(this.#seatsOf.get(eventId)!);
    const quantity = lines.reduce((sum, line) => sum + numberOf(line), 0);
    return { quantity, body: JSON.stringify({ lines, buyer }) };
  };

  #lines(seats: readonly HouseSeat[]): Line[] {
    const dice = this.#random();
    if (dice < 0.35) return [this.#named(seats, 4)];
    if (dice < 0.65) return [this.#best(5)];
    if (dice < 0.75) return [this.#standing(3)];
    const lines = [this.#named(seats, 2), this.#best(2), this.#standing(1), this.#best(1)];
    const some = lines.filter(() => this.#random() < 0.7);
    return some.length > 0 ? some : lines;
  }

  /** Neighbours, mostly where everybody wants to sit. */
  #named(seats: readonly HouseSeat[], most: number): Line {
    const end = this.#random() < 0.7 ? 60 : seats.length;
    const first = Math.floor(this.#random() * end);
    const { row, section } = seats[first]!;
    const isBeside = (seat: HouseSeat) => seat.row === row && seat.section === section;
    const chosen = seats.slice(first, first + this.#upTo(most)).filter(isBeside);
    return { seats: chosen.map(({ name }) => name) };
  }

  #best(most: number): Line {
    const bestAvailable = this.#upTo(most);
    const dice = this.#random();
    if (dice < 0.05) return { ticketType: 'stalls', bestAvailable: 1, accessible: true };
    if (dice < 0.3) return { ticketType: 'circle', bestAvailable, section: 'Balcony' };
    const together = this.#random() < 0.2 ? ({ together: true } as const) : {};
    return { ticketType: this.#any(['stalls', 'circle', 'circle']), bestAvailable, ...together };
  }

  #standing(most: number): Line {
    return { ticketType: this.#any([GA, 'floor']), quantity: this.#upTo(most) };
  }

  #upTo(most: number): number {
    return 1 + Math.floor(this.#random() * most);
  }

  #any<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
}

/** A look at the seat map at a moment: the status of every seat, by its ticket. */
export interface SeatLook {
  readonly version: number;
  readonly codes: Uint8Array;
}

interface StatusBody {
  readonly version: number;
  readonly seats?: number;
  readonly status?: string;
  readonly changes?: Readonly<Record<string, string>>;
}

const STATUSES = ['available', 'held', 'sold', 'unavailable'];

/** Who has the seat map open: reads all of it once, and from then on what has changed. */
export class SeatWatcher {
  readonly looks: SeatLook[] = [];
  readonly #eventId: string;

  constructor(eventId: string) {
    this.#eventId = eventId;
  }

  /** Looks again and again, through any process, until it is over. Processes that do not answer are left alone. */
  async watch(anyClient: () => HttpClient, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.look(anyClient()).catch(() => {});
      await sleep(80);
    }
  }

  async look(client: HttpClient): Promise<SeatLook> {
    const last = this.looks.at(-1);
    const since = last === undefined ? '' : `?since=${last.version}`;
    const body = await client.read<StatusBody>(`/api/v1/events/${this.#eventId}/seats${since}`);
    const codes = body.status === undefined ? changed(last!.codes, body) : unpacked(body);
    const look = { version: body.version, codes };
    this.looks.push(look);
    return look;
  }
}

/** All of it. */
export async function readSeats(client: HttpClient, eventId: string): Promise<SeatLook> {
  const body = await client.read<StatusBody>(`/api/v1/events/${eventId}/seats`);
  return { version: body.version, codes: unpacked(body) };
}

function unpacked({ seats = 0, status = '' }: StatusBody): Uint8Array {
  const bytes = Buffer.from(status, 'base64');
  return Uint8Array.from({ length: seats }, (_, seat) => (bytes[seat >>> 2]! >>> (6 - 2 * (seat & 3))) & 3);
}

function changed(before: Uint8Array, { changes = {} }: StatusBody): Uint8Array {
  const codes = before.slice();
  for (const [status, runs] of Object.entries(changes)) {
    for (const run of runs.split(',')) {
      const [first, last = first] = run.split('-').map(Number);
      codes.fill(STATUSES.indexOf(status), first, last! + 1);
    }
  }
  return codes;
}
