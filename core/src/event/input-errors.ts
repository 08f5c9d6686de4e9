// What is wrong with an event as an organizer describes it: every fault with the path of the member that has it and a
// sentence that says what to do. Nothing of an event with problems is kept.
import { CURRENCIES, minorUnitOf } from '../currencies.ts';
import { eventId, ticketTypeId } from '../ids.ts';
import { type Manifest, seatedSection } from '../seating/manifest.ts';
import { type EventDefinition, MAX_EVENT_CAPACITY, type TicketType } from './event.ts';

/** Sentences by path: `{"ticketTypes.1.price": "must be …"}`. Empty when all is well. */
export type Problems = Readonly<Record<string, string>>;

/** What of a seat map an event's ticket types can sell: tickets by category. */
export interface Sellable {
  readonly seats: ReadonlyMap<string, number>;
  readonly standing: ReadonlyMap<string, number>;
}

/** How many tickets the seat map has of each category. */
export function sellableOf({ sections }: Manifest): Sellable {
  const seats = new Map<string, number>();
  const standing = new Map<string, number>();
  for (const section of sections) {
    if (!seatedSection(section)) {
      standing.set(section.category, (standing.get(section.category) ?? 0) + section.capacity);
      continue;
    }
    for (const row of section.rows) {
      for (const { category } of row.seats) seats.set(category, (seats.get(category) ?? 0) + 1);
    }
  }
  return { seats, standing };
}

export const MAX_TICKET_TYPES = 200;
export const MAX_PRICE = 1_000_000_000_000;
export const MAX_PER_ORDER = 1_000;
export const MAX_NAME = 200;
export const MAX_DESCRIPTION = 5_000;
export const MAX_ACCESS_CODE = 64;

/** What is wrong with the event; `sellable` is of its seat map, if it names one. */
export function problemsOf(event: EventDefinition, sellable?: Sellable): Problems {
  const found = new Findings();
  checkNames(found, event);
  checkTimes(found, event);
  checkLimits(found, event);
  checkTypes(found, event);
  checkPlaces(found, event, sellable);
  return found.all;
}

class Findings {
  readonly all: Record<string, string> = {};

  /** The first thing that is wrong with a member is told. */
  unless(isGood: boolean, path: string, sentence: string): void {
    if (!isGood) this.all[path] ??= sentence;
  }

  text(value: string | undefined, path: string, max: number, lines: 'one line' | 'lines' = 'one line'): void {
    const problem = value === undefined ? undefined : textProblem(value, max, lines);
    this.unless(problem === undefined, path, problem ?? '');
  }

  instant(value: string | undefined, path: string): void {
    if (value === undefined) return;
    this.unless(
      isInstant(value),
      path,
      'must be a date and time with an offset, such as 2027-05-01T20:00:00+02:00',
    );
  }

  count(value: number | undefined, path: string, max: number): void {
    if (value === undefined) return;
    const isGood = Number.isSafeInteger(value) && value >= 1 && value <= max;
    this.unless(isGood, path, `must be a whole number from 1 to ${max}`);
  }
}

/** What is wrong with a text that people read; undefined when nothing is. */
export function textProblem(
  value: string,
  max: number,
  lines: 'one line' | 'lines' = 'one line',
): string | undefined {
  if (value.length > max || value.trim() === '') return `must be 1 to ${max} characters`;
  if (!value.isWellFormed()) return 'must be well-formed Unicode: half of a character is missing';
  const control = lines === 'lines' ? /[\p{Cc}\p{Cs}]/u : /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
  const shown = lines === 'lines' ? value.replace(/[\t\r\n]/g, '') : value;
  return control.test(shown) ? 'must not contain control characters' : undefined;
}

function checkNames(found: Findings, event: EventDefinition): void {
  found.unless(
    eventId(event.eventId) !== undefined,
    'eventId',
    'must be 1 to 64 letters, digits, "_" or "-"',
  );
  found.text(event.name, 'name', MAX_NAME);
  found.text(event.description, 'description', MAX_DESCRIPTION, 'lines');
  for (const member of ['name', 'address', 'city', 'country'] as const) {
    found.text(event.venue[member], `venue.${member}`, MAX_NAME);
  }
  found.unless(isTimeZone(event.timeZone), 'timeZone', 'must be an IANA time zone, such as Europe/Berlin');
}

function checkTimes(found: Findings, event: EventDefinition): void {
  for (const member of ['startsAt', 'onSaleAt', 'endsAt'] as const) found.instant(event[member], member);
  found.unless(isBefore(event.onSaleAt, event.endsAt), 'endsAt', 'must be later than onSaleAt');
  const isDated = event.status !== 'scheduled' || event.onSaleAt !== undefined;
  found.unless(isDated, 'onSaleAt', 'is required for a scheduled event: it says when the sale begins');
  for (const [index, type] of event.ticketTypes.entries()) {
    const path = `ticketTypes.${index}`;
    found.instant(type.saleStartsAt, `${path}.saleStartsAt`);
    found.instant(type.saleEndsAt, `${path}.saleEndsAt`);
    const isForward = isBefore(type.saleStartsAt, type.saleEndsAt);
    found.unless(isForward, `${path}.saleEndsAt`, 'must be later than saleStartsAt');
    const beginsInTime = isBefore(type.saleStartsAt, event.endsAt);
    found.unless(
      beginsInTime,
      `${path}.saleStartsAt`,
      'is not before the end of the sale of the event (endsAt)',
    );
    const endsInTime = isBefore(event.onSaleAt, type.saleEndsAt);
    found.unless(
      endsInTime,
      `${path}.saleEndsAt`,
      'is not after the start of the sale of the event (onSaleAt)',
    );
  }
}

function checkLimits(found: Findings, event: EventDefinition): void {
  found.count(event.maxPerOrder, 'maxPerOrder', MAX_PER_ORDER);
  found.count(event.limitPerBuyer, 'limitPerBuyer', MAX_EVENT_CAPACITY);
  found.count(event.holdsPerBuyer, 'holdsPerBuyer', MAX_PER_ORDER);
  for (const [index, type] of event.ticketTypes.entries()) {
    const path = `ticketTypes.${index}`;
    found.count(type.minPerOrder, `${path}.minPerOrder`, MAX_PER_ORDER);
    found.count(type.maxPerOrder, `${path}.maxPerOrder`, MAX_PER_ORDER);
    found.count(type.limitPerBuyer, `${path}.limitPerBuyer`, MAX_EVENT_CAPACITY);
    const least = type.minPerOrder ?? 1;
    const tops = [
      ['maxPerOrder', type.maxPerOrder],
      ['limitPerBuyer', type.limitPerBuyer],
      ["the event's maxPerOrder", event.maxPerOrder],
      ["the event's limitPerBuyer", event.limitPerBuyer],
    ] as const;
    for (const [name, top] of tops) {
      const isReachable = top === undefined || top < 1 || least <= top;
      found.unless(
        isReachable,
        `${path}.minPerOrder`,
        `is more than ${name} (${top}): nobody could buy a ticket`,
      );
    }
  }
}

function checkTypes(found: Findings, event: EventDefinition): void {
  const { ticketTypes } = event;
  const isBounded = ticketTypes.length >= 1 && ticketTypes.length <= MAX_TICKET_TYPES;
  found.unless(isBounded, 'ticketTypes', `must be 1 to ${MAX_TICKET_TYPES} ticket types`);
  const seen = new Map<string, number>();
  let capacity = 0;
  for (const [index, type] of ticketTypes.entries()) {
    const path = `ticketTypes.${index}`;
    checkType(found, path, type, ticketTypes[0]!.currency);
    // Tickets are labelled with the id in capitals, so two ids may not differ in case only.
    const twin = seen.get(type.ticketTypeId.toUpperCase());
    const other = twin === undefined ? '' : ticketTypes[twin]!.ticketTypeId;
    found.unless(twin === undefined, `${path}.ticketTypeId`, `is taken by ticketTypes.${twin} ("${other}")`);
    seen.set(type.ticketTypeId.toUpperCase(), index);
    capacity += Math.min(type.capacity, MAX_EVENT_CAPACITY);
  }
  const fits = !(capacity > MAX_EVENT_CAPACITY);
  found.unless(
    fits,
    'ticketTypes',
    `have ${capacity} tickets together; an event has at most ${MAX_EVENT_CAPACITY}`,
  );
}

function checkType(found: Findings, path: string, type: TicketType, currency: string): void {
  const isNamed = ticketTypeId(type.ticketTypeId) !== undefined;
  found.unless(isNamed, `${path}.ticketTypeId`, 'must be 1 to 32 letters, digits, "_" or "-"');
  found.text(type.name, `${path}.name`, MAX_NAME);
  found.text(type.description, `${path}.description`, MAX_DESCRIPTION, 'lines');
  found.text(type.accessCode, `${path}.accessCode`, MAX_ACCESS_CODE);
  const isKnown = CURRENCIES.has(type.currency);
  found.unless(
    isKnown,
    `${path}.currency`,
    'must be the ISO 4217 code of a currency in circulation, such as EUR',
  );
  const isOne = type.currency === currency;
  found.unless(isOne, `${path}.currency`, `must be ${currency} like the first: an event has one currency`);
  const isPrice = Number.isSafeInteger(type.price) && type.price >= 0 && type.price <= MAX_PRICE;
  const unit = minorUnitOf(type.currency);
  found.unless(isPrice, `${path}.price`, `must be a whole number of ${unit}, from 0 to ${MAX_PRICE}`);
  const isCapacity =
    Number.isSafeInteger(type.capacity) && type.capacity >= 0 && type.capacity <= MAX_EVENT_CAPACITY;
  found.unless(
    isCapacity,
    `${path}.capacity`,
    `must be a whole number of tickets, from 0 to ${MAX_EVENT_CAPACITY}`,
  );
}

/** What the ticket types sell of the seat map: each category once, and no more than there is. */
function checkPlaces(found: Findings, event: EventDefinition, sellable: Sellable | undefined): void {
  const sellers = new Map<string, string>();
  for (const [index, { category, capacity, ticketTypeId: id }] of event.ticketTypes.entries()) {
    if (category === undefined) continue;
    const path = `ticketTypes.${index}`;
    const seller = sellers.get(category);
    found.unless(seller === undefined, `${path}.category`, `is sold by "${seller}" already`);
    sellers.set(category, id);
    if (!sellable) {
      found.unless(false, `${path}.category`, 'needs a seat map: set manifestId');
      continue;
    }
    const seats = sellable.seats.get(category);
    const places = seats ?? sellable.standing.get(category);
    found.unless(
      places !== undefined,
      `${path}.category`,
      `is not in the seat map, which has ${listed(sellable)}`,
    );
    if (places === undefined) continue;
    const fits = seats === undefined ? capacity <= places : capacity === places;
    const may = seats === undefined ? `at most ${places}` : `${places} (leave it out)`;
    found.unless(
      fits,
      `${path}.capacity`,
      `must be ${may}: the category "${category}" has ${places} tickets`,
    );
  }
}

function listed({ seats, standing }: Sellable): string {
  const names = [...seats.keys(), ...standing.keys()].map((name) => `"${name}"`);
  return names.length <= 20
    ? names.join(', ')
    : `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`;
}

/** False only when both are instants and the first is not earlier. */
function isBefore(first: string | undefined, second: string | undefined): boolean {
  if (first === undefined || second === undefined) return true;
  return !(Date.parse(first) >= Date.parse(second));
}

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** A moment of a real day, from 1970 to 9999, with its offset from UTC. */
export function isInstant(text: string): boolean {
  const match = INSTANT.exec(text);
  if (!match) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && Number.isFinite(Date.parse(text));
}

/** A name of the IANA database. Offsets are refused: they do not know when clocks change. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
