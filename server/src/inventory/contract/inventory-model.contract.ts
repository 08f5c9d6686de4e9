// The part of the inventory's contract that plays random commands on random events and compares everything with a plain
// model: which tickets are given, why nothing is given, and the state of every ticket (rules S1, S2, S3, S9).
import assert from 'node:assert/strict';
import type { Block, TicketType } from '@floodgate/core/event/event.ts';
import type { Ticket, TicketTypeId } from '@floodgate/core/ids.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { Manifest } from '@floodgate/core/seating/manifest.ts';
import { houseOf, ROW_LETTERS, SELLERS } from '@floodgate/core/testing/houses.ts';
import fc from 'fast-check';
import { AVAILABLE, HELD, type Inventory, PENDING, SOLD, type State, type Want } from '../inventory.ts';
import { EVENT, inOrder, layoutOf, NOTHING, type Rule } from './test-events.ts';
import { InventoryModel } from './test-model.ts';

/** Any small house, and any types that sell of it. */
const anyManifest = fc
  .array(fc.array(fc.string({ unit: fc.constantFrom(...ROW_LETTERS), maxLength: 14 }), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 5,
  })
  .map(houseOf);
const anySellers = fc.shuffledSubarray([...SELLERS]);

/** Numbers from which wants are made that fit the event, whatever it has. */
interface RawWant {
  readonly byName: boolean;
  readonly pool: number;
  readonly quantity: number;
  readonly inSection: boolean;
  readonly together: boolean;
  readonly tickets: readonly number[];
}

type Step =
  | { readonly kind: 'load'; readonly states: readonly State[] }
  | { readonly kind: 'take'; readonly wants: readonly RawWant[] }
  | { readonly kind: 'settle'; readonly as: 'held' | 'sold'; readonly tickets: readonly number[] }
  | { readonly kind: 'give back'; readonly tickets: readonly number[] }
  | { readonly kind: 'repair'; readonly from: State; readonly to: State; readonly tickets: readonly number[] }
  | { readonly kind: 'grow'; readonly by: number };

export interface RandomEvent {
  readonly ticketTypes: readonly TicketType[];
  readonly manifest: Manifest;
}

const MOSTLY_AVAILABLE = [AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE, HELD, SOLD] as const;

const number = fc.nat({ max: 10_000 });
const tickets = fc.array(number, { maxLength: 6 });
const state = fc.constantFrom<State>(AVAILABLE, PENDING, HELD, SOLD);

const rawWant: fc.Arbitrary<RawWant> = fc.record({
  byName: fc.nat({ max: 4 }).map((n) => n === 4),
  pool: number,
  quantity: fc.constantFrom(1, 1, 2, 2, 2, 3, 4, 4, 5, 7, 10),
  inSection: fc.boolean(),
  together: fc.nat({ max: 3 }).map((n) => n === 3),
  tickets: fc.array(number, { minLength: 1, maxLength: 4 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      states: fc.array(fc.constantFrom<State>(...MOSTLY_AVAILABLE), { minLength: 8 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      wants: fc.oneof(fc.tuple(rawWant), fc.array(rawWant, { minLength: 1, maxLength: 3 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      as: fc.constantFrom('held' as const, 'sold' as const),
      tickets,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('give back' as const), tickets }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('repair' as const), from: state, to: state, tickets }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grow' as const), by: fc.nat({ max: 5 }) }) },
);

/** Events with seats and without, with anything to sell. */
export const randomEvent: fc.Arbitrary<RandomEvent> = fc
  .record({ manifest: anyManifest, ticketTypes: anySellers })
  .filter((event) => layoutOf(event).capacity > 0);

export function agreeingWithTheModel(rule: Rule): void {
  rule(
    '[S2] after any commands on any event, inventory and model agree on every ticket',
    async (inventory) => {
      await fc.assert(agreement(inventory, 0), { numRuns: 200 });
    },
  );
}

/** `from`: where inventory and model begin to give tickets. */
export function agreement(inventory: Inventory, from: number) {
  const steps = fc.array(step, { minLength: 1, maxLength: 20, size: 'max' });
  return fc.asyncProperty(randomEvent, steps, async (event, steps) => {
    const play = new Play(inventory, event, from);
    await inventory.load({ eventId: EVENT, layout: play.model.layout }, NOTHING);
    for (const step of steps) {
      await play.step(step);
      await play.compare();
    }
  });
}

/** Does every step to both. */
class Play {
  readonly model: InventoryModel;
  readonly #inventory: Inventory;
  readonly #event: RandomEvent;
  readonly #grown: Block[] = [];

  constructor(inventory: Inventory, event: RandomEvent, from: number) {
    this.#inventory = inventory;
    this.#event = event;
    this.model = new InventoryModel(layoutOf(event), from);
  }

  async step(step: Step): Promise<void> {
    const { layout, states } = this.model;
    if (step.kind === 'load') {
      for (let ticket = 0; ticket < states.length; ticket++) {
        states[ticket] = step.states[ticket % step.states.length]!;
      }
      const inState = (state: State) =>
        Uint32Array.from(states.keys()).filter((ticket) => states[ticket] === state);
      const snapshot = { seq: 0, held: inState(HELD), sold: inState(SOLD) };
      await this.#inventory.load({ eventId: EVENT, layout }, snapshot);
    } else if (step.kind === 'take') {
      await this.#take(wantsFrom(layout, step.wants));
    } else if (step.kind === 'grow') await this.#grow(step.by);
    else
      await this.#move(
        step,
        step.tickets.map((number) => (number % layout.capacity) as Ticket),
      );
  }

  async compare(): Promise<void> {
    assert.deepEqual(await this.#inventory.counts(EVENT), this.model.counts());
    assert.deepEqual([...(await this.#inventory.states(EVENT))!], this.model.states);
  }

  async #take(wants: readonly Want[]): Promise<void> {
    const expected = this.model.take(wants);
    const answer = await this.#inventory.take(EVENT, wants);
    const sorted = ('tickets' in expected ? expected.tickets : expected.taken) ?? [];
    if ('tickets' in answer) {
      assert.deepEqual({ tickets: inOrder(answer.tickets) }, { ...expected, tickets: inOrder(sorted) });
    } else {
      const { refusal, taken = [] } = answer;
      assert.deepEqual({ refusal, taken: inOrder(taken) }, { ...expected, taken: inOrder(sorted) });
    }
  }

  async #grow(by: number): Promise<void> {
    const ticketType = this.model.layout.pools.find(({ kind }) => kind === 'any')?.ticketType;
    if (ticketType === undefined) return;
    this.#grown.push({ ticketType, count: by });
    const layout = layoutOf(this.#event, this.#grown);
    await this.#inventory.grow({ eventId: EVENT, layout });
    this.model.grow(layout);
    // Nobody makes an event shorter: this one changes nothing.
    await this.#inventory.grow({ eventId: EVENT, layout: layoutOf(this.#event) });
  }

  async #move(
    step: Exclude<Step, { kind: 'load' | 'take' | 'grow' }>,
    tickets: readonly Ticket[],
  ): Promise<void> {
    const { states } = this.model;
    if (step.kind === 'repair') {
      const { from, to } = step;
      await this.#inventory.repair(
        EVENT,
        [...new Set(tickets)].map((ticket) => ({ ticket, from, to })),
      );
      for (const ticket of tickets) if (states[ticket] === from) states[ticket] = to;
    } else if (step.kind === 'give back') {
      this.#inventory.giveBack(EVENT, tickets);
      for (const ticket of tickets) if (states[ticket] !== SOLD) states[ticket] = AVAILABLE;
    } else {
      this.#inventory.settle(EVENT, tickets, step.as);
      for (const ticket of tickets) {
        if (step.as === 'sold') states[ticket] = SOLD;
        else if (states[ticket] === PENDING) states[ticket] = HELD;
      }
    }
  }
}

function wantsFrom(layout: TicketLayout, raw: readonly RawWant[]): Want[] {
  const named = new Set<number>();
  return raw.map((want): Want => {
    const tickets = [...new Set(want.tickets.map((number) => number % layout.capacity))].filter(
      (t) => !named.has(t),
    );
    if (!want.byName || tickets.length === 0) return fromPool(layout, want);
    for (const ticket of tickets) named.add(ticket);
    return { tickets: tickets as Ticket[] };
  });
}

function fromPool(layout: TicketLayout, { pool, quantity, inSection, together }: RawWant): Want {
  const { ticketType, kind, section } = layout.pools[pool % layout.pools.length]!;
  if (kind === 'any') return { ticketType: ticketType as TicketTypeId, quantity: quantity };
  return {
    ticketType,
    best: quantity,
    section: inSection ? section : undefined,
    accessible: kind === 'accessible',
    together,
  };
}
