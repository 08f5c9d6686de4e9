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
}

interface Claim {
  readonly by: string;
  readonly fact: Fact;
  as: 'held' | 'sold';
}

interface Hold {
  readonly fact: Fact;
  end: Fact | undefined;
}

/** A ticket type's block of ticket numbers `[first, end)` and its claims, counted by the journal's quantities. */
interface Block {
  readonly ticketType: string;
  readonly first: number;
  readonly end: number;
  held: number;
  sold: number;
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
  readonly #blocks: readonly Block[];
  readonly #claims = new Map<number, Claim>();
  readonly #holds = new Map<string, Hold>();
  readonly #orders = new Map<string, Fact>();

  constructor(evidence: EventEvidence, options: ReplayOptions, found: Findings) {
    this.#evidence = evidence;
    this.#options = options;
    this.#found = found;
    this.#blocks = blocksOf(evidence.event);
  }

  apply(fact: Fact): void {
    switch (fact.kind) {
      case 'event-created':
        return;
      case 'bought':
        this.#order(fact, fact.tickets ?? []);
        this.#claim(fact, fact.orderId, 'sold');
        return;
      case 'held':
        this.#hold(fact);
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
      this.#holds.set(fact.holdId, { fact, end: undefined });
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

  #claim(fact: Fact, by: string | undefined, as: 'held' | 'sold'): void {
    for (const ticket of fact.tickets ?? []) {
      const block = this.#blocks.find(({ first, end }) => ticket >= first && ticket < end);
      if (block === undefined) {
        this.#report('bound', `ticket ${ticket} does not exist`, [fact]);
        continue;
      }
      block[as]++;
      const inUse = block.held + block.sold;
      if (inUse > block.end - block.first) {
        const what = `${inUse} of ${block.end - block.first} tickets of type ${block.ticketType} are claimed`;
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
    this.#checkDeadline(hold.fact, fact);
    if (fact.kind === 'confirmed') this.#order(fact, tickets);
    for (const ticket of tickets) this.#endClaim(ticket, fact);
  }

  #checkDeadline(held: Fact, end: Fact): void {
    const lateMs = end.atMs - (held.expiresAtMs ?? Number.NaN);
    if (end.kind === 'confirmed' && lateMs >= 0) {
      this.#report('hold-time', `confirmed ${lateMs} ms after its deadline`, [held, end]);
    } else if (end.kind === 'expired' && lateMs < 0) {
      this.#report('hold-time', `expired ${-lateMs} ms before its deadline`, [held, end]);
    }
  }

  #endClaim(ticket: number, fact: Fact): void {
    const block = this.#blocks.find(({ first, end }) => ticket >= first && ticket < end);
    if (block === undefined) return;
    if (--block.held < 0)
      this.#report('bound', `fewer than 0 tickets of ${block.ticketType} are held`, [fact]);
    if (fact.kind === 'confirmed') block.sold++;
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
      const { held, sold } = this.#blocks[index]!;
      const told = { available: capacity - held - sold, held, sold };
      for (const state of ['available', 'held', 'sold'] as const) {
        if (counts[state] === told[state]) continue;
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

function blocksOf(event: FinalEvent): Block[] {
  let first = 0;
  return event.types.map(({ ticketType, capacity }) => {
    const block = { ticketType, first, end: first + capacity, held: 0, sold: 0 };
    first = block.end;
    return block;
  });
}
