// What the history checker cannot know because it knows of no seats. A grant gives what was asked for: these seats, or
// seats of this type, section and kind. A refusal for want of seats was true at some instant of its request. And every
// seat map that anybody ever saw is what the journal says of that version.
import { type EventEvidence, gather, type Op } from './checker/evidence.ts';
import type { Fact, FinalEvent } from './checker/final-ledger.ts';
import { Findings, type Violation } from './checker/findings.ts';
import type { Call, HistoryRecord } from './checker/history.ts';
import { Windows } from './checker/order.ts';
import { type House, type HouseSeat, numberOf, type SeatLook, type Wish, wishOf } from './seat-house.ts';

const [FREE, HELD, SOLD, ASIDE] = [0, 1, 2, 3];

export interface SeatCheckOptions {
  /** As in the order of the checker. */
  readonly staleMs: number;
}

/** All contradictions between what was said of an event with seats and its journal. */
export function checkSeats(
  records: readonly HistoryRecord[],
  event: FinalEvent,
  house: House,
  looks: readonly SeatLook[],
  { staleMs }: SeatCheckOptions,
): Violation[] {
  const found = new Findings();
  const { ops, events } = gather(records, [event]);
  const evidence = events.get(event.eventId)!;
  const its = ops.filter((op) => op.eventId === event.eventId);
  checkLooks(evidence, house, looks, found);
  const refusals = new Refusals(evidence, its, house, staleMs);
  for (const op of its) {
    if (op.kind !== 'hold' && op.kind !== 'buy' && op.kind !== 'flash') continue;
    for (const call of op.calls) {
      const wish = wishOf(op.kind, call.body);
      const flaw =
        call.outcome === 'ok'
          ? misfit(event, house, wish, givenBy(op, call))
          : refusals.untruth(op, call, wish);
      if (flaw === undefined) continue;
      const rule = call.outcome === 'ok' ? 'resolve' : 'order';
      found.add(rule, event.eventId, `${flaw}: ${call.body}`, { ops: [op] });
    }
  }
  return found.violations;
}

/** Moves the tickets of one fact. */
function apply(fact: Fact, move: (ticket: number, to: number) => void): void {
  const to =
    fact.kind === 'held'
      ? HELD
      : fact.kind === 'bought' || fact.kind === 'confirmed'
        ? SOLD
        : fact.kind === 'released' || fact.kind === 'expired' || fact.kind === 'returned'
          ? FREE
          : undefined;
  if (to !== undefined) for (const ticket of fact.tickets ?? []) move(ticket, to!);
  for (const ticket of fact.setAside ?? []) move(ticket, ASIDE!);
  for (const ticket of fact.restored ?? []) move(ticket, FREE!);
}

function checkLooks(
  { eventId, journal }: EventEvidence,
  { seats }: House,
  looks: readonly SeatLook[],
  found: Findings,
): void {
  const codes = new Uint8Array(seats.length);
  let next = 0;
  for (const look of [...looks].sort((a, b) => a.version - b.version)) {
    for (; journal[next] !== undefined && journal[next]!.seq <= look.version; next++) {
      apply(journal[next]!, (ticket, to) => {
        if (ticket < codes.length) codes[ticket] = to;
      });
    }
    const wrong = seats.filter(({ ticket }) => codes[ticket] !== look.codes[ticket]);
    if (wrong.length === 0 && look.version <= (journal.at(-1)?.seq ?? 0)) continue;
    const names = wrong.map(({ name, ticket }) => `${name} as ${look.codes[ticket]}, not ${codes[ticket]}`);
    const what = `the seat map of version ${look.version} showed ${names.slice(0, 5).join('; ')}`;
    found.add('conservation', eventId, what, { facts: [{ seq: look.version }] });
  }
}

/** The flash purchase does not tell its tickets. */
function givenBy({ facts }: Op, { said }: Call): readonly number[] {
  return said.tickets ?? facts[0]?.tickets ?? [];
}

/** What was given that was not asked for; undefined when all is well. */
function misfit(event: FinalEvent, house: House, wish: Wish, tickets: readonly number[]): string | undefined {
  const left = new Set(tickets);
  const typeOf = typesOf(event, house);
  const isOf = (type: string, ticket: number) => typeOf(ticket) === type;
  for (const line of wish.lines) {
    if (!('seats' in line)) continue;
    for (const name of line.seats) {
      const seat = house.seats.find((each) => each.name === name);
      if (!left.delete(seat?.ticket ?? -1)) return `was not given ${name}`;
    }
  }
  // Best seats in one section before those in all.
  const lines = wish.lines.flatMap((line) => ('seats' in line ? [] : line));
  const inSection = (line: TypeLine) => 'section' in line;
  for (const line of [...lines.filter(inSection), ...lines.filter((each) => !inSection(each))]) {
    const fits = [...left].filter((ticket) => isOf(line.ticketType, ticket) && isWanted(house, line, ticket));
    const given = fits.slice(0, numberOf(line));
    if (given.length < numberOf(line))
      return `was given ${[...left]} of other types, kinds or sections than asked`;
    for (const ticket of given) left.delete(ticket);
    const isOnly = wish.lines.length === 1;
    if (isOnly && 'together' in line && !areBeside(house, given)) return `was given seats apart: ${given}`;
  }
  return left.size > 0 ? `was given ${[...left]} beyond what was asked` : undefined;
}

type TypeLine = Exclude<Wish['lines'][number], { readonly seats: unknown }>;

function isWanted(house: House, line: TypeLine, ticket: number): boolean {
  if (!('bestAvailable' in line)) return true;
  const { kind, section } = house.seats[ticket]!;
  const wanted = line.accessible ? 'accessible' : 'general';
  return kind === wanted && (line.section === undefined || line.section === section);
}

function areBeside({ seats }: House, tickets: readonly number[]): boolean {
  const sorted = [...tickets].sort((a, b) => a - b);
  return sorted.every((ticket, index) => {
    const isNext = index === 0 || ticket === sorted[index - 1]! + 1;
    return isNext && seats[ticket]!.stretch === seats[sorted[0]!]!.stretch;
  });
}

function typesOf(event: FinalEvent, house: House): (ticket: number) => string | undefined {
  const blocks = event.blocks ?? house.blocks;
  return (ticket) => {
    let end = 0;
    for (const { ticketType, count } of blocks) {
      end += count;
      if (ticket < end) return ticketType;
    }
    return undefined;
  };
}

interface Moved {
  readonly seq: number;
  readonly to: number;
  readonly byStaff: boolean;
}

/** Whether refusals were true. */
class Refusals {
  readonly #windows: Windows;
  readonly #journal: readonly Fact[];
  readonly #house: House;
  readonly #staleMs: number;
  readonly #typeOf: (ticket: number) => string | undefined;
  readonly #pools = new Map<string, readonly number[]>();
  readonly #names: ReadonlyMap<string, HouseSeat>;
  /** By ticket, in order. A ticket that is not there yet is aside. */
  readonly #moves: Moved[][] = [];

  constructor(evidence: EventEvidence, ops: readonly Op[], house: House, staleMs: number) {
    this.#windows = new Windows(evidence, ops);
    this.#journal = evidence.journal;
    this.#house = house;
    this.#staleMs = staleMs;
    this.#typeOf = typesOf(evidence.event, house);
    this.#names = new Map(house.seats.map((seat) => [seat.name, seat]));
    for (const fact of evidence.journal) this.#move(fact);
  }

  #move(fact: Fact): void {
    const byStaff = fact.kind === 'event-changed' || fact.kind === 'event-created';
    while (this.#moves.length < (fact.capacity ?? 0)) {
      const isFirst = fact.kind === 'event-created';
      const unborn = isFirst ? [] : [{ seq: 0, to: ASIDE!, byStaff }];
      this.#moves.push([...unborn, { seq: fact.seq, to: FREE!, byStaff: !isFirst }]);
    }
    apply(fact, (ticket, to) => this.#moves[ticket]!.push({ seq: fact.seq, to, byStaff }));
  }

  /** Why the refusal was never true; undefined when it was, or is of another kind. */
  untruth(op: Op, call: Call, wish: Wish): string | undefined {
    const { error } = call.said;
    if (call.outcome !== 'fail' || (error !== 'SOLD_OUT' && error !== 'ALL_HELD' && error !== 'SEAT_TAKEN'))
      return undefined;
    const asked = op.calls.find((earlier) => earlier.body === call.body) ?? call;
    const unseenFrom = this.#windows.seqBefore(asked.atMs - this.#staleMs);
    const from = this.#windows.seqBefore(asked.atMs);
    const to = Math.min(this.#windows.seqAfter(call.endedAtMs) - 1, this.#journal.length);
    if (error === 'SEAT_TAKEN') return this.#untrueTaken(call, wish, unseenFrom, to);
    // A companion seat is of no use without its place: counts do not tell.
    if (wish.lines.some((line) => 'accessible' in line)) return undefined;
    for (let seq = from; seq <= to; seq++) {
      if (this.#isShort(wish, seq, unseenFrom, error === 'SOLD_OUT')) return undefined;
    }
    return `${error} between ${from} and ${to}, while there was enough`;
  }

  #untrueTaken(call: Call, wish: Wish, from: number, to: number): string | undefined {
    const answer = JSON.parse(call.answer) as { seats?: { section: string; row: string; seat: string }[] };
    const named = (answer.seats ?? []).map(({ section, row, seat }) => `${section}/${row}/${seat}`);
    const asked = new Set(wish.lines.flatMap((line) => ('seats' in line ? line.seats : [])));
    if (named.length === 0) return 'SEAT_TAKEN without a seat';
    for (const name of named) {
      if (!asked.has(name)) return `SEAT_TAKEN names ${name}, which nobody asked for`;
      const { ticket } = this.#names.get(name)!;
      let wasTaken = false;
      for (let seq = from; seq <= to && !wasTaken; seq++) wasTaken = this.#at(ticket, seq).to !== FREE;
      if (!wasTaken) return `SEAT_TAKEN names ${name}, which was free from ${from} to ${to}`;
    }
    return undefined;
  }

  /** Whether any line has less than it needs, together with those that want of the same seats. */
  #isShort({ lines }: Wish, seq: number, unseenFrom: number, isSold: boolean): boolean {
    return lines.some((line) => {
      if ('seats' in line) return false;
      const pool = this.#poolOf(line);
      let needed = 0;
      for (const other of lines) {
        if ('seats' in other) {
          const seats = other.seats.map((name) => this.#names.get(name)!.ticket);
          needed += seats.filter((ticket) => pool.includes(ticket)).length;
        } else if (other.ticketType === line.ticketType && (!('section' in line) || 'section' in other)) {
          needed += numberOf(other);
        }
      }
      let left = 0;
      for (const ticket of pool) {
        if (this.#isLeft(ticket, seq, unseenFrom, isSold) && ++left === needed) return false;
      }
      return left < needed;
    });
  }

  /** The tickets that the line can be served from. */
  #poolOf(line: TypeLine): readonly number[] {
    const key = JSON.stringify({ ...line, quantity: 0, bestAvailable: 'bestAvailable' in line });
    let pool = this.#pools.get(key);
    if (!pool) {
      const all = this.#moves.map((_, ticket) => ticket);
      const ofType = all.filter((ticket) => this.#typeOf(ticket) === line.ticketType);
      pool = ofType.filter((ticket) => isWanted(this.#house, line, ticket));
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Whether a shop that knows of no return after `unseenFrom` must see that the ticket is left. */
  #isLeft(ticket: number, seq: number, unseenFrom: number, isSold: boolean): boolean {
    const { to, seq: since, byStaff } = this.#at(ticket, seq);
    if (isSold && to === HELD) return true;
    if (to !== FREE) return false;
    return since <= unseenFrom || (isSold && !byStaff);
  }

  #at(ticket: number, seq: number): Moved {
    const moves = this.#moves[ticket]!;
    for (let index = moves.length - 1; index > 0; index--) if (moves[index]!.seq <= seq) return moves[index]!;
    return moves[0]!;
  }
}
