// A ledger that an older program wrote, opened by today's: nothing that was sold, held or answered may be lost or
// changed on the way. The fixtures say what that program answered.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { readConfig } from '../../src/config.ts';
import { auditAnswer, availabilityAnswer } from '../../src/contract/events.ts';
import { holdAnswer } from '../../src/contract/holds.ts';
import { confirmedAnswer, ordersAnswer } from '../../src/contract/orders.ts';
import { openShop } from '../../src/main.ts';
import { createLog } from '../../src/telemetry/logs.ts';
import {
  type Dialect,
  EVENTS,
  type Exchange,
  type Expected,
  fileOf,
  LONG,
  type Request,
  readExpected,
  send,
  settingsOf,
} from '../fixtures/ledger-of-9ea595a/fixture.ts';
import { contentOf } from '../kit/answers.ts';
import { Program, temporaryFolder } from '../kit/program.ts';
import { needsServer, type ServerName } from '../kit/servers/binaries.ts';
import { startMariadb } from '../kit/servers/mariadb.ts';
import { startPostgres } from '../kit/servers/postgres.ts';
import { ask, type Reply } from '../kit/test-shop.ts';

interface Kind {
  readonly title: string;
  readonly dialect: Dialect;
  readonly servers: readonly ServerName[];
  /** Loads the fixture; the URL of the ledger. Undefined when this server cannot take it. */
  readonly load: (t: TestContext) => Promise<string | undefined>;
}

const KINDS: readonly Kind[] = [
  {
    ...{ title: 'SQLite', dialect: 'sqlite', servers: [] },
    async load(t) {
      const folder = join(temporaryFolder(t), 'data');
      mkdirSync(folder);
      const file = join(folder, 'floodgate.db');
      writeFileSync(file, gunzipSync(readFileSync(fileOf('sqlite.db.gz'))));
      return `sqlite:${file}`;
    },
  },
  {
    ...{ title: 'PostgreSQL', dialect: 'postgres', servers: ['postgres'] },
    async load(t) {
      const server = await startPostgres();
      t.after(() => server.stop());
      const client = new Client({ connectionString: server.url });
      await client.connect();
      await client.query(readFileSync(fileOf('postgres.sql'), 'utf8')).finally(() => client.end());
      return server.url;
    },
  },
  {
    ...{ title: 'MariaDB', dialect: 'mysql', servers: ['mariadb'] },
    async load(t) {
      const server = await startMariadb();
      t.after(() => server.stop());
      if (server.version.endsWith('(MySQL)')) return undefined; // The dump names collations of MariaDB.
      const connection = await createConnection({ uri: server.url, multipleStatements: true });
      await connection.query(readFileSync(fileOf('mysql.sql'), 'utf8')).finally(() => connection.end());
      return server.url;
    },
  },
];

for (const { title, dialect, servers, load } of KINDS) {
  describe(`a ledger of 9ea595a on ${title}`, { timeout: 600_000, ...needsServer(...servers) }, () => {
    test('[S4] reads as it did, keeps its answers, sells on and audits clean', async (t) => {
      const url = await load(t);
      if (url === undefined) return t.skip('the dump is of MariaDB');
      const old = new OldLedger(url, readExpected(dialect));
      await t.test('[F8] the audit command leaves it as it is, and says what to do', () =>
        old.isNotYetRead(t),
      );
      await old.inShop(async (shop) => {
        await t.test('[S4] all that could be read reads the same', () => shop.readsAsBefore());
        await t.test('[S5] every key has its answer, and no other request', () => shop.repeatsItsAnswers());
        await t.test('[S4] and nothing was changed by that', () => shop.readsAsBefore());
      });
      await t.test('[F8] the audit command is content', () => old.isSoundByCommand(t));
      const counts = await old.inShop(async (shop) => {
        await t.test('[S6] active holds are confirmed, extended and released', () => shop.usesItsHolds());
        await t.test('[S8] limits count what was sold and held before', () => shop.keepsItsLimits());
        await t.test('[S1] what is left is sold, and not one ticket more', () => shop.sellsWhatIsLeft());
        return shop.counts();
      });
      await old.inShop(async (shop) => {
        await t.test('[S2] the counts are the same when it is opened again', async () => {
          assert.deepEqual(await shop.counts(), counts);
        });
      });
      await t.test('[F8] the audit command is still content', () => old.isSoundByCommand(t));
    });
  });
}

class OldLedger {
  readonly #url: string;
  readonly #expected: Expected;

  constructor(url: string, expected: Expected) {
    this.#url = url;
    this.#expected = expected;
  }

  async inShop<T>(act: (shop: OldShop) => Promise<T>): Promise<T> {
    const config = { ...readConfig(settingsOf(this.#url)), ...LONG };
    const shop = await openShop(config, createLog('silent'));
    try {
      return await act(new OldShop(shop.port, this.#expected));
    } finally {
      await shop.close();
    }
  }

  async isNotYetRead(t: TestContext): Promise<void> {
    const env = { DATABASE_URL: this.#url };
    for (let times = 0; times < 2; times++) {
      const run = await Program.run(t, { script: 'audit.ts', folder: temporaryFolder(t), env });
      assert.equal(run.code, 1);
      const line =
        /^floodgate: the ledger has schema 3, this Floodgate reads \d+: start its shop once, .*\n$/;
      assert.match(run.stderr, line);
    }
  }

  async isSoundByCommand(t: TestContext): Promise<void> {
    const env = { DATABASE_URL: this.#url };
    const run = await Program.run(t, { script: 'audit.ts', folder: temporaryFolder(t), env });
    assert.deepEqual([run.code, run.stderr], [0, '']);
    for (const eventId of ['night', 'club', 'play'])
      assert.match(run.stdout, new RegExp(`^✔ ${eventId} `, 'm'));
    assert.match(run.stdout, /Every rule holds\.\n$/);
  }
}

class OldShop {
  readonly #port: number;
  readonly #expected: Expected;
  readonly #session: Readonly<Record<string, string>>;
  readonly #counter: Readonly<Record<string, string>>;

  constructor(port: number, expected: Expected) {
    this.#port = port;
    this.#expected = expected;
    const { session, boxOffice } = expected.tokens;
    this.#session = { authorization: `Bearer ${session}` };
    this.#counter = { authorization: `Bearer ${boxOffice}` };
  }

  async readsAsBefore(): Promise<void> {
    for (const read of this.#expected.reads) {
      const { status, answer } = await this.#readAgain(read);
      assert.equal(status, read.status, read.title);
      if (!read.path.endsWith('/audit')) assert.deepEqual(answer, read.answer, read.title);
      else assert.deepEqual(rulesOf(answer), withMoney(rulesOf(read.answer)), read.title);
    }
  }

  /**
   * As it was read. What is different on purpose: a hold without a secret was anybody's who knew its id, and is so only
   * until it ends; then the box office reads it.
   */
  async #readAgain(read: Exchange): ReturnType<typeof send> {
    const isEnded = (read.answer as { status?: string }).status !== 'active';
    if (!read.path.startsWith('/api/v1/holds/') || !isEnded || read.headers.authorization) {
      return send(this.#port, read);
    }
    const { status, answer } = await send(this.#port, read);
    assert.deepEqual([status, codeOf(answer)], [404, 'HOLD_NOT_FOUND'], read.title);
    return send(this.#port, { ...read, headers: this.#counter });
  }

  async repeatsItsAnswers(): Promise<void> {
    const keyed = this.#expected.exchanges.filter((exchange) => keyOf(exchange) !== undefined);
    assert.ok(keyed.length >= 28, `${keyed.length} keys`);
    for (const exchange of keyed) {
      const { status, answer } = await send(this.#port, exchange);
      assert.deepEqual(
        { status, answer },
        { status: exchange.status, answer: exchange.answer },
        exchange.title,
      );
      if (codeOf(answer) === 'PAYMENT_REQUIRED') continue; // Not kept: the buyer may bring a payment under the same key.
      const other = await send(this.#port, this.#otherRequest(exchange));
      assert.deepEqual([other.status, codeOf(other.answer)], [422, 'IDEMPOTENCY_KEY_REUSED'], exchange.title);
    }
  }

  async usesItsHolds(): Promise<void> {
    const holdOf = (title: string) => `/api/v1/holds/${this.#expected.ids[title]}`;
    const post = async (path: string, status: number, headers = {}) => {
      const reply = await ask(this.#port, 'POST', path, { headers, body: {} });
      assert.equal(reply.status, status, `${path}: ${reply.text}`);
      return reply;
    };
    for (const [title, headers] of [
      ['an active hold of a guest', {}],
      ['an active hold of a session', this.#session],
    ] as const) {
      const hold = contentOf(await ask(this.#port, 'GET', holdOf(title), { headers }), 200, holdAnswer);
      const order = contentOf(await post(`${holdOf(title)}/confirm`, 201, headers), 201, confirmedAnswer);
      assert.deepEqual(order.tickets, hold.tickets, title);
    }
    const extended = await post(`${holdOf('an active hold with prices')}/extend`, 200);
    const { total } = contentOf(extended, 200, holdAnswer);
    assert.deepEqual(total, { amount: 2 * 4_550 + 2 * 1_999, currency: 'EUR' });
    for (const title of ['an active hold of the balcony', 'a hold that is extended']) {
      assert.equal((await ask(this.#port, 'DELETE', holdOf(title))).status, 200, title);
    }
    for (const title of ['a hold that is released', 'a hold that expires']) {
      await post(`${holdOf(title)}/confirm`, 404);
      await post(`${holdOf(title)}/confirm`, 409, this.#counter);
    }
  }

  async keepsItsLimits(): Promise<void> {
    const buy = (headers: Readonly<Record<string, string>>, buyer?: string) =>
      ask(this.#port, 'POST', '/buy/club', { headers, body: { quantity: 1, buyer } });
    for (const refused of [await buy(this.#session), await buy(this.#counter, 'ann@example.org')]) {
      assert.deepEqual([refused.status, codeOf(refused.body)], [409, 'LIMIT_REACHED']);
    }
    assert.equal((await buy(this.#counter, 'zoe@example.org')).status, 201);
  }

  async sellsWhatIsLeft(): Promise<void> {
    await this.#sellOut('night', 'ga', (quantity) =>
      ask(this.#port, 'POST', '/buy/night', { body: { quantity, ticketType: 'ga' } }),
    );
    await this.#sellOut('play', 'balcony', async (quantity) => {
      const lines = [{ ticketType: 'balcony', quantity }];
      const held = await ask(this.#port, 'POST', '/api/v1/events/play/holds', { body: { lines } });
      if (held.status !== 201) return held;
      const { holdId } = held.body as { holdId: string };
      return ask(this.#port, 'POST', `/api/v1/holds/${holdId}/confirm`, { body: {} });
    });
  }

  async #sellOut(
    eventId: string,
    ticketType: string,
    sell: (quantity: number) => Promise<Reply>,
  ): Promise<void> {
    const left = async () => {
      const { ticketTypes } = await this.#availability(eventId);
      return ticketTypes.find((type) => type.ticketType === ticketType)!.available;
    };
    let available = await left();
    assert.ok(available > 0, `${ticketType} is not sold out yet`);
    while (available > 0) {
      const sold = await sell(Math.min(available, 10));
      assert.equal(sold.status, 201, sold.text);
      available = await left();
    }
    const refused = await sell(1);
    assert.deepEqual([refused.status, codeOf(refused.body)], [409, 'SOLD_OUT']);
  }

  /** Of every event, which is sound: as many tickets are in its orders as are sold, and none twice. */
  async counts() {
    const counts = [];
    for (const eventId of EVENTS) {
      const availability = await this.#availability(eventId);
      const { capacity, available, held, sold, allocated, killed } = availability;
      assert.equal(available + held + sold + allocated + killed, capacity, `[S2] ${eventId}`);
      const tickets = await this.#soldIn(eventId);
      assert.deepEqual([tickets.length, new Set(tickets).size], [sold, sold], `[S1] ${eventId}`);
      const report = await ask(this.#port, 'GET', `/api/v1/events/${eventId}/audit`, { asStaff: true });
      assert.ok(contentOf(report, 200, auditAnswer).ok, report.text);
      counts.push(availability);
    }
    return counts;
  }

  async #availability(eventId: string) {
    const reply = await ask(this.#port, 'GET', `/api/v1/events/${eventId}/availability`);
    return contentOf(reply, 200, availabilityAnswer);
  }

  async #soldIn(eventId: string): Promise<string[]> {
    const path = `/api/v1/events/${eventId}/orders?limit=1000`;
    const { orders } = contentOf(await ask(this.#port, 'GET', path, { asStaff: true }), 200, ordersAnswer);
    return orders.flatMap(({ tickets }) => tickets.map(({ ticketId }) => ticketId));
  }

  /** A purchase that nobody made, under the same key in the same event. */
  #otherRequest(exchange: Exchange): Request {
    const path = `/buy/${this.#eventOf(exchange)}`;
    const { title, headers } = exchange;
    const keyed = { ...headers, 'idempotency-key': keyOf(exchange)!, 'content-type': 'application/json' };
    return { title, method: 'POST', path, headers: keyed, body: { quantity: 9 } };
  }

  #eventOf({ path }: Exchange): string {
    const named = /^(?:\/buy|\/api\/v1\/events)\/([^/]+)/.exec(path)?.[1];
    const holdId = /^\/api\/v1\/holds\/([^/]+)/.exec(path)?.[1];
    if (named !== undefined) return named;
    if (holdId === undefined) return settingsOf('').DEFAULT_EVENT!;
    const hold = this.#expected.exchanges.find(({ answer }) => isHold(answer, holdId))!;
    return (hold.answer as { eventId: string }).eventId;
  }
}

/** The Idempotency-Key, which a flash purchase has in its body. */
function keyOf({ headers, body }: Request): string | undefined {
  return headers['idempotency-key'] ?? (body as { idempotencyKey?: string } | undefined)?.idempotencyKey;
}

function isHold(answer: unknown, holdId: string): boolean {
  return (answer as { holdId?: string }).holdId === holdId;
}

function codeOf(answer: unknown): unknown {
  return (answer as { error?: unknown }).error;
}

/** Whether each rule holds. How the audit says so is its own affair. */
type Rules = readonly [ok: boolean, checks: readonly (readonly [rule: string, ok: boolean])[]];

function rulesOf(answer: unknown): Rules {
  const { ok, checks } = answer as { ok: boolean; checks: { rule: string; ok: boolean }[] };
  return [ok, checks.map((check) => [check.rule, check.ok] as const)];
}

/** With the rule that is checked since orders keep what they cost. */
function withMoney([ok, checks]: Rules): Rules {
  const at = checks.findIndex(([rule]) => rule === 'S11');
  return [ok, at < 0 ? checks : checks.toSpliced(at, 0, ['S10', true])];
}
