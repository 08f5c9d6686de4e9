// Seats in Redis beyond the contract: hundreds of requests of a turn are answered one by one as memory answers them, the
// bitmaps of where parties can sit stay what the seats say, and no choice takes long.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Ticket } from '@floodgate/core/ids.ts';
import { assertLinear, wall } from '@floodgate/core/testing/cpu.ts';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Redis } from 'ioredis';
import { needsServer } from '../../../test/kit/servers/binaries.ts';
import { type RedisServer, startRedis } from '../../../test/kit/servers/redis.ts';
import {
  best,
  claims,
  EVENT,
  GA,
  granted,
  houseOf,
  inOrder,
  NOTHING,
  seededRandom,
  these,
  VIP,
  want,
} from '../contract/test-events.ts';
import { assertCallsShort } from '../contract/test-redis-calls.ts';
import {
  AVAILABLE,
  HELD,
  type InventoryEvent,
  type State,
  type TakeResult,
  type Want,
} from '../inventory.ts';
import { MemoryInventory } from '../memory/memory-inventory.ts';
import { StaleInventory } from '../shared-inventory.ts';
import { RedisInventory } from './redis-inventory.ts';
import { seatImageOf } from './seat-image.ts';

/** Short rows and long ones, aisles, two types, accessible seats, a companion seat of no use, and standing room. */
const HOUSE = {
  Stalls: ['ssssssss|ssssss', 'sssssssssssssssssssssss', 'SSSS|ssss|SSSS', 'ssacss|scaacs|c'],
  Circle: ['ss', 'sssss', 'SSSSSSSSSSSSS', 'saass|sss', 's|s|s|sss'],
};
const rowsOf = (count: number) => Array<string>(count).fill(`${'s'.repeat(20)}|${'s'.repeat(20)}`);

describe('Seats in Redis', needsServer('redis'), () => {
  let server: RedisServer;
  let admin: Redis;
  let inventory: RedisInventory;

  before(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    inventory = await RedisInventory.connect(server.url, { deadlineMs: patienceMs(500) });
  });
  after(async () => {
    await inventory.close();
    admin.disconnect();
    await server.stop();
  });
  beforeEach(() => admin.flushall());

  const key = (name: string) => `event:{${EVENT}}:${name}`;

  /** Redis has the bitmaps that it would be loaded with, and nothing but them has changed. */
  async function assertGaps({ layout }: InventoryEvent): Promise<void> {
    const [free, runs, positions, gaps] = await Promise.all(
      ['free', 'runs', 'positions', 'gaps'].map((name) => admin.getBuffer(key(name))),
    );
    assert.deepEqual({ runs, positions, gaps }, seatImageOf(layout, free!));
  }

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`[S1] [S3] many requests at once get from Redis what they get from memory one by one (seed ${seed})`, async () => {
      await new Twins(inventory, seed).play(assertGaps);
    });
  }

  for (const [what, damage] of [
    ['runs are gone', () => admin.del(key('runs'))],
    ['positions are gone', () => admin.del(key('positions'))],
    ['gaps are gone', () => admin.del(key('gaps'))],
    ['gaps are of another type', () => admin.multi().del(key('gaps')).lpush(key('gaps'), 'x').exec()],
    ['gaps are not there', () => admin.setrange(key('gaps'), 0, '\xff'.repeat(40))],
    ['count is gone', () => admin.hdel(key('meta'), 'seats')],
  ] as const) {
    test(`[S1] an event whose ${what} is not trusted, and works again when it is loaded`, async () => {
      const event = houseOf(HOUSE);
      await inventory.load(event, claims([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], []));
      await damage();
      const sell = async () => {
        const tickets = granted(await inventory.take(EVENT, [best(10)]));
        inventory.giveBack(EVENT, [13 as Ticket]);
        await inventory.counts(EVENT);
        await inventory.repair(EVENT, [{ ticket: 12 as Ticket, from: HELD, to: AVAILABLE }]);
        return tickets;
      };
      await assert.rejects(sell, StaleInventory);
      await inventory.reload(event, async () => NOTHING);
      assert.equal((await sell()).length, 10);
      await assertGaps(event);
    });
  }

  test('a full Redis goes on seating parties and taking seats back', async () => {
    const event = houseOf(HOUSE, { ga: 50 });
    await inventory.load(event, NOTHING);
    await admin.config('SET', 'maxmemory', '1');
    try {
      const tickets = granted(await inventory.take(EVENT, [best(4), best(3, { ticketType: VIP }), want(20)]));
      inventory.giveBack(EVENT, tickets.slice(0, 3));
      inventory.settle(EVENT, tickets.slice(3), 'sold');
      const again = granted(await inventory.take(EVENT, [best(3), these(tickets[0]!)]));
      assert.equal(again.length, 4);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    await assertGaps(event);
  });

  test('[S1] scripts that are forgotten in the middle of a sale of seats are loaded again', async () => {
    const event = houseOf({ Stalls: rowsOf(30) });
    await inventory.load(event, NOTHING);
    const given: Ticket[] = [];
    const buy = async () => {
      for (let i = 0; i < 20; i++) {
        const tickets = granted(await inventory.take(EVENT, [best(3)]));
        if (i % 2 === 0) inventory.giveBack(EVENT, tickets);
        else {
          given.push(...tickets);
          inventory.settle(EVENT, tickets, 'sold');
        }
      }
    };
    const buyers = Promise.all(Array.from({ length: 20 }, buy));
    for (let i = 0; i < 20; i++) await admin.script('FLUSH');
    await buyers;
    assert.equal(new Set(given).size, 600);
    assert.equal((await inventory.counts(EVENT))![0]!.sold, 600);
    await assertGaps(event);
  });

  test('the time to load 100,000 seats grows no faster than their number, and they take less than a megabyte', async () => {
    const halfSold = (size: number) => {
      const event = houseOf({ Stalls: rowsOf(78 * size), Circle: rowsOf(79 * size) });
      const sold = Array.from({ length: 3_140 * size }, (_, seat) => 2 * seat);
      return () => inventory.load(event, claims([], sold));
    };
    await assertLinear(halfSold, { clock: wall });
    await halfSold(16)();
    const names = ['meta', 'free', 'states', 'runs', 'positions', 'gaps'];
    const sizes = await Promise.all(names.map((name) => admin.memory('USAGE', key(name))));
    const bytes = sizes.reduce<number>((sum, size) => sum + Number(size), 0);
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  });

  test('no call keeps Redis busy for long, also when hundreds of parties come to a house nearly sold out', async () => {
    const event = houseOf({ Stalls: rowsOf(250), Circle: rowsOf(250) });
    const random = seededRandom(95);
    const sold = [...Array(20_000).keys()].filter(() => random() < 0.9);
    await inventory.load(event, claims([], sold));
    const crowd = async () => {
      const parties = Array.from({ length: 400 }, (_, at) => inventory.take(EVENT, [best(1 + (at % 5))]));
      for (const result of await Promise.all(parties)) inventory.giveBack(EVENT, granted(result));
      await inventory.counts(EVENT);
    };
    await assertCallsShort(admin, crowd);
    await assertGaps(event);
  });
});

/** Sends the same random requests to Redis, a turn at once, and to memory, one after the other. */
class Twins {
  readonly #redis: RedisInventory;
  readonly #memory = new MemoryInventory();
  readonly #random: () => number;
  readonly #event = houseOf(HOUSE, { ga: 30 });
  /** Tickets that were taken and not settled yet, and those that are held. */
  #open: (readonly Ticket[])[] = [];

  constructor(redis: RedisInventory, seed: number) {
    this.#redis = redis;
    this.#random = seededRandom(seed);
  }

  async play(check: (event: InventoryEvent) => Promise<void>): Promise<void> {
    const { layout } = this.#event;
    for (let house = 0; house < 8; house++) {
      const sold = [...Array(layout.capacity).keys()].filter(() => this.#random() < house / 12);
      await this.#redis.load(this.#event, claims([], sold));
      await this.#memory.load(this.#event, claims([], sold));
      this.#open = [];
      for (let turn = 0; turn < 15; turn++) {
        await this.#turn();
        assert.deepEqual(await this.#redis.counts(EVENT), this.#memory.counts(EVENT));
        assert.deepEqual(await this.#redis.states(EVENT), await this.#memory.states(EVENT));
        await check(this.#event);
      }
    }
  }

  /** What ends comes before what begins, as Redis does it. */
  async #turn(): Promise<void> {
    for (const tickets of this.#open.splice(0, this.#below(10))) this.#end(tickets);
    if (this.#below(4) === 0) await this.#correct();
    const isAlone = this.#below(3) === 0;
    const wants = Array.from({ length: isAlone ? 1 : 1 + this.#below(25) }, () => this.#wants());
    // Equal requests in a row travel as one.
    const requests = wants.flatMap((each) => Array<Want[]>(1 + this.#below(4)).fill(each));
    const answers = await Promise.all(requests.map((each) => this.#redis.take(EVENT, each)));
    for (const [at, request] of requests.entries()) {
      const expected = this.#memory.take(EVENT, request);
      assert.deepEqual(plain(answers[at]!), plain(expected), JSON.stringify(request));
      if ('tickets' in expected) this.#open.push(expected.tickets);
    }
  }

  #end(tickets: readonly Ticket[]): void {
    const how = this.#below(5);
    for (const inventory of [this.#redis, this.#memory]) {
      if (how < 3) inventory.giveBack(EVENT, tickets);
      else inventory.settle(EVENT, tickets, how === 3 ? 'held' : 'sold');
    }
    if (how === 3) this.#open.push(tickets);
  }

  /** The ledger knows better than both: any ticket may be sold, and any state be wrong. */
  async #correct(): Promise<void> {
    const any = () => this.#below(this.#event.layout.capacity) as Ticket;
    const [sold, ticket] = [any(), any()];
    const states = (await this.#memory.states(EVENT))!;
    const repair = { ticket, from: states[ticket] as State, to: this.#below(4) as State };
    for (const inventory of [this.#redis, this.#memory]) {
      if (sold !== ticket) inventory.settle(EVENT, [sold], 'sold');
      await inventory.repair(EVENT, [repair]);
    }
  }

  #wants(): Want[] {
    const count = this.#random() < 0.7 ? 1 : 2 + this.#below(2);
    const named = new Set<number>();
    return Array.from({ length: count }, (): Want => {
      const kind = this.#below(10);
      if (kind === 0) return { ticketType: GA, quantity: 1 + this.#below(3) };
      if (kind <= 2) {
        const first = this.#below(this.#event.layout.capacity - 3);
        const tickets = [first, first + 1, first + 2].filter((t) => !named.has(t) && this.#random() < 0.7);
        if (tickets.length > 0) {
          for (const ticket of tickets) named.add(ticket);
          return these(...tickets);
        }
      }
      return this.#party();
    });
  }

  #party(): Want {
    const isSection = this.#random() < 0.3;
    const section = isSection ? (['Stalls', 'Circle'] as const)[this.#below(2)] : undefined;
    const isVip = this.#random() < 0.2;
    return best(1 + this.#below(this.#random() < 0.9 ? 5 : 10), {
      section,
      together: this.#random() < 0.2,
      accessible: !isVip && this.#random() < 0.2,
      ...(isVip && { ticketType: VIP }),
    });
  }

  #below(end: number): number {
    return Math.floor(end * this.#random());
  }
}

function plain(result: TakeResult): unknown {
  if ('tickets' in result) return { tickets: inOrder(result.tickets) };
  const { refusal, taken } = result;
  return { refusal, taken: taken && inOrder(taken) };
}
