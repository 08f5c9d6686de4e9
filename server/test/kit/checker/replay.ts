// Passes 2 to 5 by one replay of an event's journal: after every fact, each ticket has at most one claim (2),
// the claims fit the capacity (3), a hold ends once and in time (5); at the end, what the shop shows and lists
// is what the replay arrived at (4).
import { type EventEvidence, sameTickets } from './evidence.ts';
import type { Fact, FinalEvent } from './final-ledger.ts';
import type { Findings, Rule } from './findings.ts';

export interface ReplayOptions {
  /** How long every hold of this history was given. Without it, only the deadlines in the journal are checked. */
  readonly holdTtlMs?: number | undefined;
  /** Nobody asks any more, and every hold has had time to expire: nothing may be held. */
  readonly isQuiet?: boolean | undefined;
  /** How long a hold may live at most, however often it is extended. */
  readonly holdMaxMs?: number | undefined;
}

interface Claim {
  readonly by: string;
  readonly fact: Fact;
  as: 'held' | 'sold' | 'aside';
}

interface Hold {
  readonly fact: Fact;
  /** As it was made, or extended to. */
  expiresAtMs: number;
  end: Fact | undefined;
}

/** A ticket type and its claims, counted by the journal's quantities. */
interface Usage {
  readonly ticketType: string;
  capacity: number;
  held: number;
  sold: number;
  aside: number;
}

/** Ticket numbers `[first, end)` of one type. */
interface Block {
  readonly first: number;
  readonly end: number;
  readonly usage: Usage;
}

/** Replays the journal and compares its end with the rest of the final ledger. */
export function replay(evidence: EventEvidence, options: ReplayOptions, found: Findings): void {
  const replayed = new Replay(evidence, options, found);
  for (const fact of evidence.journal) replayed.apply(fact);
  replayed.compareClaims(evidence.event);
  replayed.compareOrders(evidence.event);
  replayed.compareCounts(evidence.event);
}

class Replay {
  readonly #evidence: EventEvidence;
  readonly #options: ReplayOptions;
  readonly #found: Findings;
  readonly #usages: readonly Usage[];
  readonly #blocks: readonly Block[];
  /** How many tickets the event has had so far. */
  #capacity = Number.POSITIVE_INFINITY;
  readonly #claims = new Map<number, Claim>();
  readonly #holds = new Map<string, Hold>();
  readonly #orders = new Map<string, Fact>();

  constructor(evidence: EventEvidence, options: ReplayOptions, found: Findings) {
    this.#evidence = evidence;
    this.#options = options;
    this.#found = found;
    const { types, blocks } = evidence.event;
    this.#usages = types.map(({ ticketType }) => ({ ticketType, capacity: 0, held: 0, sold: 0, aside: 0 }));
    this.#blocks = blocksOf(blocks ?? typesAsBlocks(types), this.#usages);
  }

  apply(fact: Fact): void {
    switch (fact.kind) {
      case 'event-created':
        this.#capacity = fact.capacity ?? this.#capacity;
        return;
      case 'event-changed':
        this.#change(fact);
        return;
      case 'extended':
        this.#extend(fact);
        return;
      case 'key-made':
      case 'key-revoked':
      case 'manifest-kept':
        return;
      case 'bought':
        this.#order(fact, fact.tickets ?? []);
        this.#claim(fact, fact.orderId, 'sold');
        return;
      case 'held':
        this.#hold(fact);
        return;
      case 'returned':
        this.#return(fact);
        return;
      case 'confirmed':
      case 'released':
      case 'expired':
        this.#endHold(fact);
    }
  }

  #hold(fact: Fact): void {
    const { holdTtlMs } = this.#options;
    const earlier = this.#holds.get(fact.holdId ?? '');
    if (fact.holdId === undefined || fact.expiresAtMs === undefined) {
      this.#report('hold-time', 'a hold without id or deadline', [fact]);
    } else if (earlier !== undefined) {
      this.#report('uniqueness', `hold id ${fact.holdId} was given twice`, [earlier.fact, fact]);
    } else {
      this.#holds.set(fact.holdId, { fact, expiresAtMs: fact.expiresAtMs, end: undefined });
    }
    const ttlMs = (fact.expiresAtMs ?? Number.NaN) - fact.atMs;
    if (holdTtlMs !== undefined && ttlMs !== holdTtlMs) {
      this.#report('hold-time', `a hold of ${holdTtlMs} ms was given ${ttlMs} ms`, [fact]);
    }
    this.#claim(fact, fact.holdId, 'held');
  }

  #order(fact: Fact, tickets: readonly number[]): void {
    const orderId = fact.orderId ?? '';
    const earlier = this.#orders.get(orderId);
    if (orderId === '' || earlier !== undefined) {
      this.#report(
        'uniqueness',
        `order id "${orderId}" is missing or was given twice`,
        earlier ? [earlier, fact] : [fact],
      );
    }
    this.#orders.set(orderId, { ...fact, tickets });
  }

  #claim(fact: Fact, by: string | undefined, as: Claim['as'], tickets = fact.tickets ?? []): void {
    for (const ticket of tickets) {
      const usage = this.#usageOf(ticket);
      if (usage === undefined || ticket >= this.#capacity) {
        this.#report('bound', `ticket ${ticket} does not exist`, [fact]);
        continue;
      }
      usage[as]++;
      const inUse = usage.held + usage.sold + usage.aside;
      if (inUse > usage.capacity) {
        const what = `${inUse} of ${usage.capacity} tickets of type ${usage.ticketType} are claimed`;
        this.#report('bound', what, [fact]);
      }
      const earlier = this.#claims.get(ticket);
      if (earlier !== undefined) {
        this.#report('uniqueness', `ticket ${ticket} is claimed while it is ${earlier.as}`, [
          earlier.fact,
          fact,
        ]);
      }
      this.#claims.set(ticket, { by: by ?? '', fact, as });
    }
  }

  #usageOf(ticket: number): Usage | undefined {
    return this.#blocks.find(({ first, end }) => ticket >= first && ticket < end)?.usage;
  }

  /** Ticket numbers only grow; what is put back on sale was out of it. */
  #change(fact: Fact): void {
    const { capacity, restored = [], setAside = [] } = fact;
    if (capacity !== undefined && Number.isFinite(this.#capacity) && capacity < this.#capacity) {
      this.#report('bound', `${this.#capacity} tickets became ${capacity}`, [fact]);
    }
    this.#capacity = capacity ?? this.#capacity;
    for (const ticket of restored) {
      const claim = this.#claims.get(ticket);
      if (claim?.as !== 'aside') {
        const what = `ticket ${ticket} is put on sale while it is ${claim?.as ?? 'free'}`;
        this.#report('uniqueness', what, [...(claim ? [claim.fact] : []), fact]);
        continue;
      }
      this.#usageOf(ticket)!.aside--;
      this.#claims.delete(ticket);
    }
    this.#claim(fact, fact.allocationId, 'aside', setAside);
  }

  /** Tickets of an order, each once. */
  #return(fact: Fact): void {
    const order = this.#orders.get(fact.orderId ?? '');
    for (const ticket of fact.tickets ?? []) {
      const claim = this.#claims.get(ticket);
      if (order === undefined || claim?.as !== 'sold' || claim.by !== fact.orderId) {
        const what = `ticket ${ticket} is returned of order ${fact.orderId} while it is ${claim?.as ?? 'free'}`;
        this.#report('uniqueness', what, [...(claim ? [claim.fact] : []), fact]);
        continue;
      }
      this.#usageOf(ticket)!.sold--;
      this.#claims.delete(ticket);
    }
  }

  #extend(fact: Fact): void {
    const hold = this.#holds.get(fact.holdId ?? '');
    const { expiresAtMs } = fact;
    if (hold === undefined || expiresAtMs === undefined) {
      this.#report('hold-time', `extended hold ${fact.holdId}, which was never made, or to no deadline`, [
        fact,
      ]);
      return;
    }
    if (hold.end !== undefined) {
      this.#report('hold-time', `hold ${fact.holdId} is extended after its end`, [hold.end, fact]);
    }
    if (fact.atMs >= hold.expiresAtMs) {
      const lateMs = fact.atMs - hold.expiresAtMs;
      this.#report('hold-time', `extended ${lateMs} ms after its deadline`, [hold.fact, fact]);
    }
    if (expiresAtMs < hold.expiresAtMs) {
      this.#report('hold-time', `an extension took ${hold.expiresAtMs - expiresAtMs} ms`, [hold.fact, fact]);
    }
    const lifeMs = expiresAtMs - hold.fact.atMs;
    const { holdMaxMs = Number.POSITIVE_INFINITY } = this.#options;
    if (lifeMs > holdMaxMs) {
      this.#report('hold-time', `a hold that may live ${holdMaxMs} ms was given ${lifeMs} ms`, [fact]);
    }
    hold.expiresAtMs = expiresAtMs;
  }

  #endHold(fact: Fact): void {
    const hold = this.#holds.get(fact.holdId ?? '');
    if (hold === undefined) {
      this.#report('hold-time', `${fact.kind} hold ${fact.holdId}, which was never made`, [fact]);
      return;
    }
    const tickets = hold.fact.tickets ?? [];
    if (fact.tickets !== undefined && !sameTickets(fact.tickets, tickets)) {
      this.#report('uniqueness', `${fact.kind} with other tickets than were held`, [hold.fact, fact]);
    }
    if (hold.end !== undefined) {
      this.#report('hold-time', `hold ${fact.holdId} ended twice: ${hold.end.kind}, ${fact.kind}`, [
        hold.end,
        fact,
      ]);
    }
    hold.end = fact;
    this.#checkDeadline(hold, fact);
    if (fact.kind === 'confirmed') this.#order(fact, tickets);
    for (const ticket of tickets) this.#endClaim(ticket, fact);
  }

  #checkDeadline({ fact: held, expiresAtMs }: Hold, end: Fact): void {
    const lateMs = end.atMs - expiresAtMs;
    if (end.kind === 'confirmed' && lateMs >= 0) {
      this.#report('hold-time', `confirmed ${lateMs} ms after its deadline`, [held, end]);
    } else if (end.kind === 'expired' && lateMs < 0) {
      this.#report('hold-time', `expired ${-lateMs} ms before its deadline`, [held, end]);
    }
  }

  #endClaim(ticket: number, fact: Fact): void {
    const usage = this.#usageOf(ticket);
    if (usage === undefined) return;
    if (--usage.held < 0)
      this.#report('bound', `fewer than 0 tickets of ${usage.ticketType} are held`, [fact]);
    if (fact.kind === 'confirmed') usage.sold++;
    const claim = this.#claims.get(ticket);
    if (claim?.by !== fact.holdId) return;
    if (fact.kind === 'confirmed') this.#claims.set(ticket, { by: fact.orderId ?? '', fact, as: 'sold' });
    else this.#claims.delete(ticket);
  }

  compareClaims({ claims }: FinalEvent): void {
    if (claims === undefined) return;
    for (const row of claims) {
      const claim = this.#claims.get(row.ticket);
      if (claim?.as !== row.as || claim.by !== row.by) {
        const told = claim === undefined ? 'free' : `${claim.as} by ${claim.by}`;
        this.#report(
          'conservation',
          `ticket ${row.ticket} is ${row.as} by ${row.by}; the journal says ${told}`,
          [],
        );
      }
    }
    const rows = new Set(claims.map((row) => row.ticket));
    for (const [ticket, claim] of this.#claims) {
      if (!rows.has(ticket)) {
        this.#report('conservation', `the claim on ticket ${ticket} is in the journal only`, [claim.fact]);
      }
    }
  }

  compareOrders({ orders }: FinalEvent): void {
    for (const order of orders) {
      const fact = this.#orders.get(order.orderId);
      if (fact === undefined || fact.seq !== order.seq || !sameTickets(fact.tickets ?? [], order.tickets)) {
        this.#report('conservation', `order ${order.orderId} is not as the journal has it`, [fact ?? order]);
      }
    }
    const listed = new Set(orders.map((order) => order.orderId));
    for (const [orderId, fact] of this.#orders) {
      if (!listed.has(orderId))
        this.#report('conservation', `order ${orderId} is in the journal only`, [fact]);
    }
  }

  compareCounts({ types }: FinalEvent): void {
    for (const [index, { ticketType, capacity, counts }] of types.entries()) {
      const { held, sold, aside } = this.#usages[index]!;
      const told = { available: capacity - held - sold - aside, held, sold, aside };
      for (const state of ['available', 'held', 'sold', 'aside'] as const) {
        if (counts[state] === told[state] || (state === 'aside' && counts.aside === undefined)) continue;
        const what = `${counts[state]} tickets of ${ticketType} are shown as ${state}; by the journal it is ${told[state]}`;
        this.#report('conservation', what, []);
      }
      if (this.#options.isQuiet && held > 0) {
        const open = [...this.#holds.values()]
          .filter((hold) => hold.end === undefined)
          .map((hold) => hold.fact);
        this.#report('conservation', `${held} tickets of ${ticketType} are held for ever`, open);
      }
    }
  }

  #report(rule: Rule, what: string, facts: readonly { readonly seq: number }[]): void {
    const ops = facts.flatMap(
      (fact) => this.#evidence.causes.get(this.#evidence.factAt.get(fact.seq)!) ?? [],
    );
    this.#found.add(rule, this.#evidence.eventId, what, { ops, facts });
  }
}

function typesAsBlocks(types: FinalEvent['types']): NonNullable<FinalEvent['blocks']> {
  return types.map(({ ticketType, capacity }) => ({ ticketType, count: capacity }));
}

function blocksOf(blocks: NonNullable<FinalEvent['blocks']>, usages: readonly Usage[]): Block[] {
  let first = 0;
  return blocks.map(({ ticketType, count }) => {
    const usage = usages.find((each) => each.ticketType === ticketType)!;
    const block = { first, end: first + count, usage };
    usage.capacity += count;
    first = block.end;
    return block;
  });
}
