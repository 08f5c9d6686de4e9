// Facts: what a journal says happened, as one closed union by `kind`. They are written for ever, so a fact's body is
// exactly what stands in the ledger: a member may be added, none may change its meaning. A program that folds a journal (the
// inventories that follow it, the seat board, the audit) shares `ticketMoves`, so that no two of them disagree.

import type { Role } from './actor.ts';
import { unreachable } from './assert.ts';
import type { Differences } from './event/differences.ts';
import type { AllocationId, HoldId, OrderId, Ticket } from './ids.ts';
import type { Price } from './price.ts';

/** Also the first fact of a stream that is no event; then it says nothing. */
export interface EventCreated {
  readonly capacity: number;
  /** Who of the staff; undefined: the shop itself, when it made its demo events. */
  readonly by?: string | undefined;
}
export interface EventChanged extends Differences {
  readonly by: string;
  /** What was asked for: "pause", "change", … */
  readonly action: string;
  /** After the change. */
  readonly capacity: number;
  readonly setAside: readonly Ticket[];
  readonly restored: readonly Ticket[];
  /** What the tickets were set aside for. */
  readonly allocationId?: AllocationId | undefined;
  /** The sequence number of the change before. */
  readonly previous: number;
}

/** What the tickets cost; facts of before schema 5 do not say it. */
interface Claimed extends Partial<Price> {
  readonly tickets: readonly Ticket[];
  readonly buyer: string | null;
  /** The idempotency key. */
  readonly key?: string | undefined;
}
export interface Bought extends Claimed {
  readonly orderId: OrderId;
}
export interface Held extends Claimed {
  readonly holdId: HoldId;
  readonly expiresAtMs: number;
}
export interface Extended {
  readonly holdId: HoldId;
  readonly expiresAtMs: number;
}
export interface Confirmed extends Claimed {
  readonly holdId: HoldId;
  readonly orderId: OrderId;
}
export interface Released {
  readonly holdId: HoldId;
  readonly tickets: readonly Ticket[];
  readonly buyer: string | null;
}
/** As {@link Released}, but time took the hold. */
export interface Expired extends Released {}
/** Tickets of an order went back on sale. */
export interface Returned {
  readonly orderId: OrderId;
  readonly tickets: readonly Ticket[];
  readonly buyer: string | null;
  /** What is paid back for them, in minor units of the order's currency. */
  readonly refundedAmount: number;
  /** Who of the staff. */
  readonly by: string;
}

export interface KeyMade {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAtMs: number | null;
  /** Of the key, which is kept nowhere. */
  readonly hash: string;
  readonly by: string;
}
export interface KeyRevoked {
  readonly keyId: string;
  readonly name: string;
  readonly by: string;
}
export interface ManifestKept {
  readonly manifestId: string;
  readonly by: string;
  /** Of its content. */
  readonly bytes: number;
}

interface Bodies {
  readonly 'event-created': EventCreated;
  readonly 'event-changed': EventChanged;
  readonly bought: Bought;
  readonly held: Held;
  readonly extended: Extended;
  readonly confirmed: Confirmed;
  readonly released: Released;
  readonly expired: Expired;
  readonly returned: Returned;
  readonly 'key-made': KeyMade;
  readonly 'key-revoked': KeyRevoked;
  readonly 'manifest-kept': ManifestKept;
}

export type FactKind = keyof Bodies;
/** What a fact of this kind says. */
export type FactBody<Kind extends FactKind> = Bodies[Kind];
/** A fact: its kind decides what it says. */
export type FactOf<Kind extends FactKind> = {
  [K in Kind]: { readonly kind: K; readonly fact: Bodies[K] };
}[Kind];
export type Fact = FactOf<FactKind>;

/** By kind, whether its order appears in the lists of orders: once for every order, whatever becomes of it later. */
const LISTS_ORDER: Readonly<Record<FactKind, boolean>> = {
  'event-created': false,
  'event-changed': false,
  bought: true,
  held: false,
  extended: false,
  confirmed: true,
  released: false,
  expired: false,
  returned: false,
  'key-made': false,
  'key-revoked': false,
  'manifest-kept': false,
};

export const FACT_KINDS = Object.keys(LISTS_ORDER) as readonly FactKind[];

export function isFactKind(kind: string): kind is FactKind {
  return Object.hasOwn(LISTS_ORDER, kind);
}

/** The kinds of facts in whose order the orders of an event are listed. */
export const ORDER_KINDS: readonly FactKind[] = FACT_KINDS.filter((kind) => LISTS_ORDER[kind]);

/** The order that the fact puts on the list of orders. */
export function orderListedBy(said: Fact): OrderId | undefined {
  return said.kind === 'bought' || said.kind === 'confirmed' ? said.fact.orderId : undefined;
}

/** How a ticket stands; `aside`: staff took it out of sale. */
export type TicketState = 'free' | 'held' | 'sold' | 'aside';

/** Tickets that stood in one way and now stand in another. May be none. */
export interface TicketMove {
  readonly tickets: readonly Ticket[];
  readonly from: TicketState;
  readonly to: TicketState;
}

/** Which tickets a fact moves. No ticket is named twice. */
export function ticketMoves(said: Fact): readonly TicketMove[] {
  switch (said.kind) {
    case 'bought':
      return [{ tickets: said.fact.tickets, from: 'free', to: 'sold' }];
    case 'held':
      return [{ tickets: said.fact.tickets, from: 'free', to: 'held' }];
    case 'confirmed':
      return [{ tickets: said.fact.tickets, from: 'held', to: 'sold' }];
    case 'released':
    case 'expired':
      return [{ tickets: said.fact.tickets, from: 'held', to: 'free' }];
    case 'returned':
      return [{ tickets: said.fact.tickets, from: 'sold', to: 'free' }];
    case 'event-changed':
      return [
        { tickets: said.fact.setAside, from: 'free', to: 'aside' },
        { tickets: said.fact.restored, from: 'aside', to: 'free' },
      ];
    case 'event-created':
    case 'extended':
    case 'key-made':
    case 'key-revoked':
    case 'manifest-kept':
      return NO_MOVES;
    default:
      return unreachable(said);
  }
}

const NO_MOVES: readonly TicketMove[] = [];

/** The order or the hold that a fact is about. */
export function subjectOf(said: Fact): OrderId | HoldId | undefined {
  switch (said.kind) {
    case 'bought':
    case 'confirmed':
    case 'returned':
      return said.fact.orderId;
    case 'held':
    case 'extended':
    case 'released':
    case 'expired':
      return said.fact.holdId;
    case 'event-created':
    case 'event-changed':
    case 'key-made':
    case 'key-revoked':
    case 'manifest-kept':
      return undefined;
    default:
      return unreachable(said);
  }
}
