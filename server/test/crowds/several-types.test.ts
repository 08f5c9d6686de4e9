// Holds of several ticket types at once (row C2), on every kind of store, with several processes where there can be
// several. Two faults of systems that book type by type are named here, each with a control that books like they do.

import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { anyProblem } from '../../src/contract/answers.ts';
import { heldAnswer, holdAnswer } from '../../src/contract/holds.ts';
import { contentOf, readProblem } from '../kit/answers.ts';
import { ServerProcess } from '../kit/server-process.ts';
import { needsServer, type ServerName } from '../kit/servers/binaries.ts';
import { startMariadb } from '../kit/servers/mariadb.ts';
import { startPostgres } from '../kit/servers/postgres.ts';
import { startRedis } from '../kit/servers/redis.ts';
import { ask, type Reply } from '../kit/test-shop.ts';

const ROUNDS = 30;
/** A hold takes some milliseconds; a deadlock never ends. */
const ENDS_WITHIN_MS = patienceMs(1_900);
/** What one process did, another knows. */
const HEARD_WITHIN_MS = patienceMs(1_000);
/** Of those who book type by type and wait for each other: how often they try. */
const TRIES = 20;

type Settings = Readonly<Record<string, string>>;
interface Store {
  readonly title: string;
  readonly needs: readonly ServerName[];
  readonly processes: number;
  readonly settings: (t: TestContext) => Promise<Settings>;
}

let postgres: ReturnType<typeof startPostgres> | undefined;
let mariadb: ReturnType<typeof startMariadb> | undefined;
after(async () => {
  await (await postgres)?.stop();
  await (await mariadb)?.stop();
});

async function onPostgres(): Promise<Settings> {
  postgres ??= startPostgres();
  return { DATABASE_URL: await (await postgres).createDatabase() };
}
async function onMariadb(): Promise<Settings> {
  mariadb ??= startMariadb();
  return { DATABASE_URL: await (await mariadb).createDatabase() };
}
async function withRedis(t: TestContext): Promise<Settings> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  return { REDIS_URL: redis.url };
}

const STORES: readonly Store[] = [
  { title: 'SQLite', needs: [], processes: 1, settings: async () => ({}) },
  {
    title: 'PostgreSQL, each process its own inventory',
    needs: ['postgres'],
    processes: 2,
    settings: onPostgres,
  },
  {
    title: 'PostgreSQL and Redis',
    needs: ['postgres', 'redis'],
    processes: 2,
    settings: async (t) => ({ ...(await onPostgres()), ...(await withRedis(t)) }),
  },
  {
    title: 'MariaDB and Redis',
    needs: ['mariadb', 'redis'],
    processes: 2,
    settings: async (t) => ({ ...(await onMariadb()), ...(await withRedis(t)) }),
  },
];

/** One event of one shop, asked at any of its processes. */
class House {
  readonly #ports: readonly number[];
  readonly #eventId: string;

  private constructor(ports: readonly number[], eventId: string) {
    this.#ports = ports;
    this.#eventId = eventId;
  }

  static async open(t: TestContext, store: Store, ...ticketTypes: object[]): Promise<House> {
    const env = await store.settings(t);
    const processes: ServerProcess[] = [];
    t.after(() => Promise.all(processes.map((process) => process.remove())));
    while (processes.length < store.processes) {
      processes.push(await ServerProcess.start({ events: 0, tickets: 1, env }));
    }
    const ports = processes.map(({ port }) => port);
    const where = { venue: { name: 'Hall' }, timeZone: 'Etc/UTC', startsAt: '2030-01-01T20:00:00Z' };
    const body = { eventId: 'house', name: 'House', ...where, ticketTypes };
    const made = await ask(ports[0]!, 'POST', '/api/v1/events', { body, asStaff: true });
    assert.equal(made.status, 201, made.text);
    const opened = await ask(ports[0]!, 'POST', '/api/v1/events/house/open', { asStaff: true });
    assert.ok(opened.status < 300, opened.text);
    const house = new House(ports, 'house');
    // Every process has learned that it is open.
    for (const [place] of ports.entries()) {
      const [type] = ticketTypes as { ticketTypeId: string }[];
      while ((await house.ask(place, 'POST', '/holds', { lines: [] })).status === 404) await sleep(20);
      await house.release(place, await house.take(place, [type!.ticketTypeId]));
    }
    await house.untilAllIsFree();
    return house;
  }

  /** Every process has heard that the others gave their tickets back. */
  async untilAllIsFree(): Promise<void> {
    for (const [place] of this.#ports.entries()) await this.#untilAllIsFree(place);
  }

  async #untilAllIsFree(place: number): Promise<void> {
    const deadlineMs = performance.now() + HEARD_WITHIN_MS;
    for (;;) {
      const { body, text } = await this.ask(place, 'GET', '/availability');
      const { available, capacity } = body as { available: number; capacity: number };
      if (available === capacity) return;
      assert.ok(performance.now() < deadlineMs, text);
      await sleep(20);
    }
  }

  ask(place: number, method: string, path: string, body?: unknown): Promise<Reply> {
    const port = this.#ports[place % this.#ports.length]!;
    return ask(port, method, `/api/v1/events/${this.#eventId}${path}`, { body, asStaff: method === 'GET' });
  }

  /** One ticket of each of these types. */
  hold(place: number, types: readonly string[], buyer?: string): Promise<Reply> {
    const lines = types.map((ticketType) => ({ ticketType, quantity: 1 }));
    return this.ask(place, 'POST', '/holds', { lines, buyer });
  }

  async take(place: number, types: readonly string[], buyer?: string): Promise<string> {
    return contentOf(await this.hold(place, types, buyer), 201, heldAnswer).holdId;
  }

  async release(place: number, holdId: string): Promise<void> {
    const port = this.#ports[place % this.#ports.length]!;
    contentOf(await ask(port, 'DELETE', `/api/v1/holds/${holdId}`), 200, holdAnswer);
  }

  /** The audit finds nothing, once every process has heard of what others did. */
  async assertContent(): Promise<void> {
    const deadlineMs = performance.now() + HEARD_WITHIN_MS;
    for (;;) {
      const { ok, ...rest } = (await this.ask(0, 'GET', '/audit')).body as { ok: boolean };
      if (ok) return;
      assert.ok(performance.now() < deadlineMs, JSON.stringify(rest));
      await sleep(50);
    }
  }
}

const typeOf = (ticketTypeId: string, capacity: number, rest: object = {}) => ({
  ...{ ticketTypeId, name: ticketTypeId, price: 0, currency: 'EUR', capacity },
  ...rest,
});

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = sleep(ms, undefined, { ref: false }).then(() => assert.fail(`it did not end within ${ms} ms`));
  return Promise.race([work, late]);
}

const holdIdOf = ({ status, body }: Reply): string | undefined =>
  status === 201 ? (body as { holdId: string }).holdId : undefined;

for (const store of STORES) {
  describe(`several types in one hold: ${store.title}`, {
    timeout: patienceMs(24_000),
    ...needsServer(...store.needs),
  }, () => {
    test('[S3] [C2] two buyers who want the same two types in opposite order both end, without a deadlock', async (t) => {
      const house = await House.open(t, store, typeOf('a', 1), typeOf('b', 1));
      for (let round = 0; round < ROUNDS; round++) {
        const both = [house.hold(0, ['a', 'b']), house.hold(1, ['b', 'a'])];
        const replies = await within(ENDS_WITHIN_MS, Promise.all(both));
        const won = replies.map(holdIdOf);
        assert.equal(
          won.filter((id) => id !== undefined).length,
          1,
          replies.map(({ text }) => text).join('\n'),
        );
        for (const [place, reply] of replies.entries()) {
          const holdId = won[place];
          if (holdId === undefined) readProblem(reply, 409, 'ALL_HELD');
          else await house.release(place, holdId);
        }
      }
      await house.assertContent();
    });

    test('[S3] [C2] a crowd that wants three types in every order is served or refused, whole', async (t) => {
      const house = await House.open(t, store, typeOf('a', 4), typeOf('b', 4), typeOf('c', 4));
      const orders = [
        ['a', 'b', 'c'],
        ['c', 'b', 'a'],
        ['b', 'a', 'c'],
        ['c', 'a', 'b'],
      ];
      for (let round = 0; round < ROUNDS / 5; round++) {
        const crowd = Array.from({ length: 24 }, (_, n) => house.hold(n, orders[n % orders.length]!));
        const replies = await within(ENDS_WITHIN_MS, Promise.all(crowd));
        const won = replies.map(holdIdOf);
        assert.equal(won.filter((id) => id !== undefined).length, 4);
        for (const [place, holdId] of won.entries()) if (holdId) await house.release(place, holdId);
        // The other process may hear of it some milliseconds later.
        await house.untilAllIsFree();
      }
      await house.assertContent();
    });

    test('[C2] a neighbour whose booking fails does not make a buyer see sold out', async (t) => {
      const limited = typeOf('z', 100, { limitPerBuyer: 1 });
      const house = await House.open(t, store, typeOf('x', 1), typeOf('y', 1), limited);
      await house.take(0, ['y']);
      await house.take(0, ['z'], 'glutton');
      let isOver = false;
      const failures = new Map<string, number>();
      const neighbours = Array.from({ length: 4 }, async (_, n) => {
        // One kind of neighbour fails in the inventory, the other only in the ledger.
        const wanted = n % 2 === 0 ? ['x', 'y'] : ['x', 'z'];
        while (!isOver) {
          const reply = await house.hold(n, wanted, 'glutton');
          const { error } = anyProblem.parse(reply.body);
          failures.set(error, (failures.get(error) ?? 0) + 1);
        }
      });
      for (let round = 0; round < ROUNDS; round++) {
        const reply = await within(ENDS_WITHIN_MS, house.hold(0, ['x']));
        await house.release(0, contentOf(reply, 201, heldAnswer).holdId);
      }
      isOver = true;
      await Promise.all(neighbours);
      assert.ok((failures.get('LIMIT_REACHED') ?? 0) > 10, JSON.stringify([...failures]));
      await house.assertContent();
    });
  });
}

describe('controls: booking type by type', { timeout: patienceMs(12_000) }, () => {
  const store = STORES[0]!;

  test('two buyers who each hold what the other waits for never end', async (t) => {
    const house = await House.open(t, store, typeOf('a', 1), typeOf('b', 1));
    const bookInTurn = async (place: number, type: string): Promise<boolean> => {
      for (let tries = 0; tries < TRIES; tries++) {
        if (holdIdOf(await house.hold(place, [type])) !== undefined) return true;
        await sleep(10);
      }
      return false;
    };
    // Both have their first before either goes on.
    assert.deepEqual(await Promise.all([bookInTurn(0, 'a'), bookInTurn(1, 'b')]), [true, true]);
    assert.deepEqual(await Promise.all([bookInTurn(0, 'b'), bookInTurn(1, 'a')]), [false, false]);
  });

  test('a neighbour whose booking fails makes a buyer see that nothing is left', async (t) => {
    const house = await House.open(t, store, typeOf('x', 1), typeOf('y', 1));
    await house.take(0, ['y']);
    let isOver = false;
    const neighbour = (async () => {
      while (!isOver) {
        const first = holdIdOf(await house.hold(0, ['x']));
        await house.hold(0, ['y']);
        if (first) await house.release(0, first);
      }
    })();
    const refused = new Set<string>();
    for (let round = 0; round < 10 * ROUNDS && refused.size === 0; round++) {
      const reply = await house.hold(0, ['x']);
      const holdId = holdIdOf(reply);
      if (holdId) await house.release(0, holdId);
      else refused.add(anyProblem.parse(reply.body).error);
    }
    isOver = true;
    await neighbour;
    assert.deepEqual([...refused], ['ALL_HELD']);
  });
});
