// PostgreSQL as rooms see it: PostgreSQL 12 or newer, or what speaks its protocol and SQL.
import { assertToday, dropRooms } from '../migrate.ts';
import type { RoomSchema } from '../migration.ts';
import { CannotReachDatabase, type SqlDatabase, type SqlFault } from '../sql.ts';
import { cannotReach, faultOf, isServerError } from './faults.ts';
import { PostgresConnection, type PostgresSession } from './postgres-connection.ts';
import { migrateRoom, schemaOf } from './schema.ts';

/** Migrators that race wait for the one that is first. */
const MIGRATION_TIMEOUT_MS = 600_000;

export class PostgresDatabase implements SqlDatabase<PostgresConnection> {
  readonly description: string;
  protected readonly url: string;
  protected readonly session: PostgresSession;

  /** `postgres://user:password@host:port/database?sslmode=…`. Throws CannotReachDatabase. */
  constructor(url: string, session: PostgresSession) {
    this.url = url;
    this.session = session;
    this.description = describe(url);
  }

  connect(): Promise<PostgresConnection> {
    return this.opened(new PostgresConnection(this.url, this.session));
  }

  protected async opened<C extends PostgresConnection>(connection: C): Promise<C> {
    try {
      return await connection.open();
    } catch (error) {
      throw cannotReach(this.description, error);
    }
  }

  faultOf(error: unknown): SqlFault {
    return faultOf(error);
  }

  /** Brings the room's tables to today's. Throws SchemaTooNew, or CannotReachDatabase. */
  migrateRoom(schema: RoomSchema): Promise<void> {
    return this.#changeSchema((connection) => migrateRoom(connection, this.description, schema));
  }

  /** Throws SchemaTooNew and SchemaTooOld unless the room's tables are of today. */
  assertToday(schema: RoomSchema): Promise<void> {
    return this.#changeSchema((connection) => assertToday(schemaOf(connection, this.description), schema));
  }

  /** Drops the tables of all rooms but the ledger. Throws CannotReachDatabase. */
  dropRooms(): Promise<void> {
    return this.#changeSchema((connection) => dropRooms(schemaOf(connection, this.description)));
  }

  async #changeSchema(change: (connection: PostgresConnection) => Promise<void>): Promise<void> {
    const patient = { ...this.session, queryTimeoutMs: MIGRATION_TIMEOUT_MS };
    const connection = await this.opened(new PostgresConnection(this.url, patient));
    try {
      await change(connection);
    } catch (error) {
      throw isServerError(error) ? cannotReach(this.description, error) : error;
    } finally {
      await connection.close();
    }
  }
}

/** Without user, password and parameters. */
function describe(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed?.hostname) {
    throw new CannotReachDatabase('DATABASE_URL must be like postgres://user:password@host:5432/database');
  }
  return `PostgreSQL at ${parsed.hostname}:${parsed.port || '5432'}${parsed.pathname}`;
}
