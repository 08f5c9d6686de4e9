// What the pipeline uses of `pg` beside its documented interface. It is worth 1 µs a sale, and the most fragile code of
// the house: so the version is pinned, and an upgrade fails here, with a sentence, instead of in the middle of a sale.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { needsServer } from '../../../../test/kit/servers/binaries.ts';
import { type PostgresServer, startPostgres } from '../../../../test/kit/servers/postgres.ts';
import { Messages } from './messages.ts';

/** The version whose code was read. */
const READ = '8.23.1';
const ADVICE =
  'read how lib/client.js hands answers to a query, correct pipeline.ts, then name the version here';

test(`pg is pinned to ${READ}, whose private members the pipeline uses`, () => {
  const manifest = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  assert.equal(JSON.parse(manifest).dependencies.pg, READ, `pg is another version now: ${ADVICE}`);
  const installed = createRequire(import.meta.url)('pg/package.json') as { version: string };
  assert.equal(installed.version, READ, `pg ${installed.version} is installed: ${ADVICE}`);
});

/** Keeps what the driver calls it with, as the pipeline is called. */
class Witness {
  readonly calls: [name: string, given: unknown][] = [];
  readonly done: Promise<void>;
  readonly #messages = new Messages();
  readonly #sql: readonly string[];
  #resolve: () => void = () => {};

  constructor(...sql: string[]) {
    this.#sql = sql;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The driver puts a function of its own here when there is none. */
  get callback(): () => void {
    return () => {};
  }

  submit(connection: { readonly stream: { write(bytes: Buffer): void } }): null {
    this.calls.push(['submit', connection]);
    this.#messages.begin();
    for (const sql of this.#sql) {
      this.#messages.parse('', sql);
      this.#messages.bind('', []);
      this.#messages.execute();
    }
    connection.stream.write(this.#messages.sync());
    return null;
  }

  handleDataRow({ fields }: { fields: unknown }): void {
    this.calls.push(['handleDataRow', fields]);
  }

  handleCommandComplete({ text }: { text: unknown }): void {
    this.calls.push(['handleCommandComplete', text]);
  }

  handleReadyForQuery(): void {
    this.calls.push(['handleReadyForQuery', undefined]);
    this.#resolve();
  }

  handleError(error: Error): void {
    this.calls.push(['handleError', (error as { code?: unknown }).code]);
    this.#resolve();
  }

  handleRowDescription(): void {}
  handleEmptyQuery(): void {
    this.calls.push(['handleEmptyQuery', undefined]);
  }
  handlePortalSuspended(): void {}
}

interface WithConnection {
  readonly connection: { readonly stream: { write: unknown; destroy: unknown } };
}

describe('the private members of pg', { timeout: 60_000, ...needsServer('postgres') }, () => {
  let real: PostgresServer;
  let client: Client;
  before(async () => {
    real = await startPostgres();
    client = new Client({ connectionString: real.url });
    await client.connect();
  });
  after(async () => {
    await client?.end();
    await real?.stop();
  });

  test('client.connection.stream writes bytes, and can be destroyed', () => {
    const { stream } = (client as unknown as WithConnection).connection ?? {};
    assert.equal(typeof stream?.write, 'function', `client.connection.stream.write is gone: ${ADVICE}`);
    assert.equal(typeof stream?.destroy, 'function', `client.connection.stream.destroy is gone: ${ADVICE}`);
  });

  test('query(object) calls submit with the connection, then the handlers in the order of the answers', async () => {
    const witness = new Witness(`SELECT 'a' AS x, NULL AS y UNION ALL SELECT 'b', '1'`, 'BEGIN', 'ROLLBACK');
    client.query(witness);
    await witness.done;
    const { connection } = client as unknown as WithConnection;
    assert.ok(witness.calls[0]?.[1] === connection, `submit is not given client.connection: ${ADVICE}`);
    assert.deepEqual(
      witness.calls.slice(1),
      [
        ['handleDataRow', ['a', null]],
        ['handleDataRow', ['b', '1']],
        ['handleCommandComplete', 'SELECT 2'],
        ['handleCommandComplete', 'BEGIN'],
        ['handleCommandComplete', 'ROLLBACK'],
        ['handleReadyForQuery', undefined],
      ],
      `the handlers are called otherwise: ${ADVICE}`,
    );
  });

  test('after an error handleError is called once with the server’s code, and the client goes on', async () => {
    const witness = new Witness('SELECT 1/0 AS x', 'SELECT 2 AS y');
    client.query(witness);
    await witness.done;
    assert.deepEqual(
      witness.calls.slice(1),
      [['handleError', '22012']],
      `an error comes otherwise: ${ADVICE}`,
    );
    assert.equal((await client.query('SELECT 3 AS n')).rows[0].n, 3);
  });

  test('getTypeParser of a query is asked for each column', async () => {
    const types = { getTypeParser: (type: number) => (text: string) => `${type}: ${text}` };
    const { rows } = await client.query({ text: `SELECT 7::int8 AS n`, types });
    assert.deepEqual(rows, [{ n: '20: 7' }], `types of a query are not used: ${ADVICE}`);
  });
});
