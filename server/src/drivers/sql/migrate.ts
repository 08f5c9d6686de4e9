// Brings the tables of one room to what this program knows. Every room numbers its own migrations, and only forward:
// `room_versions` says where each room stands. The ledger is older than that table. Its versions stay where they always
// were, in `schema_versions`, because there an older Floodgate looks before it touches a ledger of a newer one.
import { invariant } from '@floodgate/core/assert.ts';
import {
  type FilledRows,
  type Migration,
  namesOf,
  type RoomSchema,
  type SchemaDialect,
} from './migration.ts';
import { CannotReachDatabase, type SqlValue } from './sql.ts';

export const LEDGER = 'ledger';

/** What a migration needs of a store: one connection to it, and what its dialect does in its own way. */
export interface SchemaStore {
  readonly dialect: SchemaDialect;
  /** For people. */
  readonly description: string;
  /** One statement with `?` for its parameters. */
  ask(sql: string, parameters?: readonly SqlValue[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** By the store's clock. */
  nowMs(): number | Promise<number>;
  /** The names of the database's own tables. */
  tables(): Promise<readonly string[]>;
  /** Runs `act` while no other process migrates this database; in one transaction where a changed schema can be undone. */
  alone(act: () => Promise<void>): Promise<void>;
}

/** A room's tables are of a newer Floodgate: this one could misread what they hold. */
export class SchemaTooNew extends Error {
  override readonly name = 'SchemaTooNew';
  constructor(room: string, version: number, known: number) {
    const whose = room === LEDGER ? 'the ledger' : `${room} in this database`;
    super(
      `${whose} has schema ${version}, this Floodgate knows up to ${known}: ` +
        `start the newer version, or restore ${room === LEDGER ? 'a ledger' : 'a database'} of this one`,
    );
  }
}

/** For a program that only looks: it changes no tables. */
export class SchemaTooOld extends Error {
  override readonly name = 'SchemaTooOld';
  constructor(version: number, known: number) {
    super(
      version === 0
        ? 'there is no ledger here yet: start the shop once'
        : `the ledger has schema ${version}, this Floodgate reads ${known}: start its shop once, which brings the ledger up to date`,
    );
  }
}

/** The migrations that take a room from `version` to today. Throws SchemaTooNew for tables of a later program. */
export function migrationsFrom({ room, migrations }: RoomSchema, version: number): readonly Migration[] {
  if (version > migrations.length) throw new SchemaTooNew(room, version, migrations.length);
  return migrations.slice(version);
}

/**
 * Processes that race go one after the other. A database that is up to date is only read, so that it can be used without
 * rights to create. Throws SchemaTooNew, CannotReachDatabase or the store's error.
 */
export async function migrate(store: SchemaStore, schema: RoomSchema): Promise<void> {
  checkNames(store.dialect, schema);
  if (migrationsFrom(schema, (await standing(store, schema)).version).length === 0) return;
  await store.alone(async () => {
    const { version, isBegun } = await standing(store, schema);
    const due = migrationsFrom(schema, version);
    if (due.length === 0) return;
    if (!isBegun) await begin(store, schema);
    else if (schema.room === LEDGER)
      await refuseInUse(
        store,
        'its tables are of an earlier release and are brought up to date only when nobody sells from them',
      );
    for (const migration of due) {
      for (const statement of migration.statements(store.dialect)) await store.ask(statement);
      await fill(store, migration);
      await record(store, schema.room, migration);
    }
  });
}

/** Processes of Floodgate that lease a node number of this ledger now. The table must be there. */
export async function countUsers({ ask, nowMs }: Pick<SchemaStore, 'ask' | 'nowMs'>): Promise<number> {
  return (await ask('SELECT node_id FROM node_leases WHERE expires_at_ms >= ?', [await nowMs()])).length;
}

/** What is done to the tables now would be done under a shop that sells. */
async function refuseInUse(store: SchemaStore, why: string): Promise<void> {
  if (!(await store.tables()).includes('node_leases')) return;
  const users = await countUsers(store);
  if (users > 0) throw new CannotReachDatabase(`${inUse(store.description, users)}; ${why}`);
}

/** One line: how many processes use the ledger. */
export function inUse(description: string, users: number): string {
  const who = users === 1 ? 'a process' : `${users} processes`;
  return `${description} is in use by another Floodgate: stop ${who} first (one that was killed counts for a minute)`;
}

/** Throws SchemaTooNew and SchemaTooOld. Changes nothing. */
export async function assertToday(store: SchemaStore, schema: RoomSchema): Promise<void> {
  const { version } = await standing(store, schema);
  if (migrationsFrom(schema, version).length > 0) throw new SchemaTooOld(version, schema.migrations.length);
}

async function fill(store: SchemaStore, migration: Migration): Promise<void> {
  const filling = migration.fill?.(store.dialect);
  for (let step = filling?.next(); filling && step && !step.done; ) {
    step = filling.next((await store.ask(step.value.sql, step.value.params)) as FilledRows);
  }
}

/** Where a room stands. `isBegun`: its tables, if there are any, are this program's. */
async function standing(
  store: SchemaStore,
  { room }: RoomSchema,
): Promise<{ version: number; isBegun: boolean }> {
  const table = room === LEDGER ? 'schema_versions' : 'room_versions';
  if (!(await store.tables()).includes(table)) return { version: 0, isBegun: false };
  const [row] =
    room === LEDGER
      ? await store.ask('SELECT max(version) AS version FROM schema_versions')
      : await store.ask('SELECT max(version) AS version FROM room_versions WHERE room = ?', [room]);
  const version = row?.version ?? null;
  return { version: Number(version ?? 0), isBegun: version !== null || room === LEDGER };
}

/**
 * Statements pass over what an earlier attempt has made, so they would also pass over another program's tables. What is
 * begun is written down before the first of them, because not every server can undo a changed schema.
 */
async function begin(store: SchemaStore, schema: RoomSchema): Promise<void> {
  const { dialect } = store;
  const present = new Set(await store.tables());
  const foreign = namesOf(dialect, schema).find((name) => present.has(name));
  if (foreign !== undefined) {
    throw new CannotReachDatabase(
      `cannot use ${store.description}: there is a table ${foreign} of another program: give Floodgate a database of its own`,
    );
  }
  if (schema.room === LEDGER) {
    const columns = `version ${dialect.bigint} PRIMARY KEY, name ${dialect.shortText} NOT NULL`;
    await store.ask(`CREATE TABLE IF NOT EXISTS schema_versions (${columns}) ${dialect.clustered}`);
    return;
  }
  await store.ask(
    `CREATE TABLE IF NOT EXISTS room_versions (room ${dialect.shortText} NOT NULL, version ${dialect.bigint} NOT NULL,
     name ${dialect.shortText} NOT NULL, PRIMARY KEY (room, version)) ${dialect.clustered}`,
  );
  await record(store, schema.room, { version: 0, name: 'begun' });
}

async function record(
  store: SchemaStore,
  room: string,
  { version, name }: Pick<Migration, 'version' | 'name'>,
): Promise<void> {
  if (room === LEDGER) {
    await store.ask('INSERT INTO schema_versions (version, name) VALUES (?, ?)', [version, name]);
  } else {
    await store.ask('INSERT INTO room_versions (room, version, name) VALUES (?, ?, ?)', [
      room,
      version,
      name,
    ]);
  }
}

/** So that no two rooms meet in one table, and that all tables of a room can be found again. */
function checkNames(dialect: SchemaDialect, schema: RoomSchema): void {
  const { room, migrations } = schema;
  invariant(/^[a-z]+(-[a-z]+)*$/.test(room), `${room} is no name of a room`);
  const isNumbered = migrations.every(({ version }, index) => version === index + 1);
  invariant(isNumbered, `the migrations of ${room} are not numbered from 1 without a gap`);
  if (room === LEDGER) return;
  for (const name of namesOf(dialect, schema)) {
    invariant(isNamedFor(room, name), `${room} makes a table ${name}: its name must begin with the room's`);
  }
}

function isNamedFor(room: string, table: string): boolean {
  const prefix = room.replaceAll('-', '_');
  return table === prefix || table.startsWith(`${prefix}_`);
}

/** Drops the tables of every room that ever had some here, also of rooms this program does not know; not the ledger's. */
export async function dropRooms(store: SchemaStore): Promise<void> {
  const tables = await store.tables();
  if (!tables.includes('room_versions')) return;
  const rooms = await store.ask('SELECT DISTINCT room FROM room_versions');
  const theirs = tables.filter((table) => rooms.some(({ room }) => isNamedFor(String(room), table)));
  // The versions come last: a deletion that was cut off half-way can be repeated.
  for (const table of [...theirs, 'room_versions']) await store.ask(`DROP TABLE ${table}`);
}
