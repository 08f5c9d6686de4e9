// What must be right before tickets are taken: is it on sale, may this buyer have them, are they not too few or too many
// for one order. What is decided by what others have is not here: limits per buyer are the ledger's to judge (rule S8).
import type { TicketType } from '@floodgate/core/event/event.ts';
import { isOnSale } from '@floodgate/core/event/rules.ts';
import type { Refusal } from '@floodgate/core/refusal.ts';
import { firstRefusal } from '@floodgate/core/refusal.ts';
import type { BuyerLimits } from '../../ledger/ledger.ts';
import { equalSecrets } from '../access/secrets.ts';
import type { CatalogueEntry } from '../catalogue/catalogue.ts';

/** Tickets of one type that one line of a request asks for. */
export interface Wanted {
  readonly type: TicketType;
  readonly quantity: number;
  readonly accessCode?: string | undefined;
}

export interface Asker {
  readonly buyer: string | null;
  /** `buy`: an order at once, without a payment. */
  readonly to: 'buy' | 'hold';
}

type TicketLimit = BuyerLimits['tickets'][number];

/** The conditions of one version of an event, so that events without any cost nothing. */
interface Conditions {
  /** Anybody may have as many of these as one request can ask for, at any time. */
  readonly unconditional: ReadonlySet<TicketType>;
  /** Limits of what one buyer may have of the type. */
  readonly ofType: ReadonlyMap<TicketType, TicketLimit>;
  readonly ofEvent: TicketLimit | undefined;
}

const known = new WeakMap<CatalogueEntry, Conditions>();

function conditionsOf(entry: CatalogueEntry): Conditions {
  let conditions = known.get(entry);
  if (!conditions) {
    conditions = readConditions(entry);
    known.set(entry, conditions);
  }
  return conditions;
}

function readConditions({ event, layout }: CatalogueEntry): Conditions {
  const { status, endsAt, maxPerOrder, limitPerBuyer, holdsPerBuyer, ticketTypes } = event;
  const isPlain = status === 'open' && allUnset(endsAt, maxPerOrder, limitPerBuyer, holdsPerBuyer);
  const plain = ticketTypes.filter((type) => {
    const { saleStartsAt, saleEndsAt, minPerOrder, maxPerOrder, limitPerBuyer, accessCode } = type;
    return allUnset(saleStartsAt, saleEndsAt, minPerOrder, maxPerOrder, limitPerBuyer, accessCode);
  });
  const ofType = ticketTypes.flatMap((type) => {
    const { ticketTypeId, limitPerBuyer: max } = type;
    return max === undefined ? [] : ([[type, { ranges: layout.rangesOf(ticketTypeId), max }]] as const);
  });
  return {
    unconditional: new Set(isPlain ? plain : []),
    ofType: new Map(ofType),
    ofEvent: limitPerBuyer === undefined ? undefined : { ranges: [[0, layout.capacity]], max: limitPerBuyer },
  };
}

const allUnset = (...values: unknown[]): boolean => values.every((value) => value === undefined);

/**
 * Why the asker may not have this now: of several reasons the first in the order of precedence. Else the limits that
 * the ledger has to judge.
 */
export function check(
  entry: CatalogueEntry,
  wanted: readonly Wanted[],
  asker: Asker,
  nowMs: number,
): Refusal | { readonly limits: BuyerLimits | undefined } {
  const conditions = conditionsOf(entry);
  const isFree = asker.to === 'hold' || wanted.every(({ type }) => type.price === 0);
  if (isFree && wanted.every(({ type }) => conditions.unconditional.has(type))) return NO_LIMITS;

  const limits = limitsOf(entry, conditions, wanted, asker);
  const found: Refusal[] = wanted.flatMap((one) => [
    ...saleRefusals(entry, one.type, nowMs),
    ...codeRefusals(one),
  ]);
  if (limits && asker.buyer === null) found.push({ refusal: 'BUYER_REQUIRED' });
  if (!isFree) found.push({ refusal: 'PAYMENT_REQUIRED' });
  found.push(...sizeRefusals(entry, wanted));
  const first = firstRefusal(found.map(({ refusal }) => refusal));
  return found.find(({ refusal }) => refusal === first) ?? { limits };
}

const NO_LIMITS = Object.freeze({ limits: undefined });

function saleRefusals({ event }: CatalogueEntry, type: TicketType, nowMs: number): Refusal[] {
  const sale = isOnSale(event, type, nowMs);
  return sale.isOn ? [] : [{ refusal: 'NOT_ON_SALE', onSaleAtMs: finite(sale.startsAtMs) }];
}

const finite = (ms: number | undefined): number | undefined => (Number.isFinite(ms) ? ms : undefined);

function codeRefusals({ type, accessCode }: Wanted): Refusal[] {
  const isKnown = type.accessCode === undefined || equalSecrets(type.accessCode, accessCode ?? '');
  return isKnown ? [] : [{ refusal: 'ACCESS_CODE_REQUIRED' }];
}

/** Lines that want the same type are one number. */
function sizeRefusals({ event }: CatalogueEntry, wanted: readonly Wanted[]): Refusal[] {
  const found: Refusal[] = [];
  const numbers = new Map<TicketType, number>();
  for (const { type, quantity } of wanted) numbers.set(type, (numbers.get(type) ?? 0) + quantity);
  let sum = 0;
  for (const [{ minPerOrder = 0, maxPerOrder = Infinity }, number] of numbers) {
    if (number < minPerOrder) found.push({ refusal: 'BELOW_MINIMUM', perOrder: minPerOrder });
    if (number > maxPerOrder) found.push({ refusal: 'LIMIT_REACHED', perOrder: maxPerOrder });
    sum += number;
  }
  const { maxPerOrder = Infinity } = event;
  if (sum > maxPerOrder) found.push({ refusal: 'LIMIT_REACHED', perOrder: maxPerOrder });
  return found;
}

/** Those that what is wanted can break. */
function limitsOf(
  { event }: CatalogueEntry,
  { ofType, ofEvent }: Conditions,
  wanted: readonly Wanted[],
  { to }: Asker,
): BuyerLimits | undefined {
  const ofTypes = [...new Set(wanted.map(({ type }) => ofType.get(type)))].filter(
    (limit) => limit !== undefined,
  );
  const tickets = ofEvent ? [...ofTypes, ofEvent] : ofTypes;
  const holds = to === 'hold' ? event.holdsPerBuyer : undefined;
  return tickets.length === 0 && holds === undefined ? undefined : { tickets, holds };
}
