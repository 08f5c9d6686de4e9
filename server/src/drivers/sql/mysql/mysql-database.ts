// MySQL and MariaDB as rooms see them: MariaDB 10.6 or newer (tested with 10.11), MySQL 8.0.17 or newer (written for,
// not tested).
import { assertToday, dropRooms, migrate } from '../migrate.ts';
import type { RoomSchema } from '../migration.ts';
import { CannotReachDatabase, type SqlDatabase, type SqlFault } from '../sql.ts';
import { addressOf, type MysqlAddress } from './address.ts';
import { cannotReach, faultOf, MysqlError } from './faults.ts';
import { MysqlConnection, type Timeouts } from './mysql-connection.ts';
import { schemaOf } from './schema.ts';

const MIGRATION_TIMEOUT_MS = 600_000;

export class MysqlDatabase implements SqlDatabase<MysqlConnection> {
  readonly description: string;
  protected readonly address: MysqlAddress;
  protected readonly timeouts: Timeouts;

  /** `mysql://user:password@host:port/database?ssl-mode=…`, or `mariadb://…`. Throws CannotReachDatabase. */
  constructor(url: string, timeouts: Timeouts) {
    this.address = addressOf(url);
    this.timeouts = timeouts;
    this.description = this.address.description;
  }

  connect(): Promise<MysqlConnection> {
    return this.opened(new MysqlConnection(this.address.options, this.timeouts));
  }

  protected async opened<C extends MysqlConnection>(connection: C): Promise<C> {
    try {
      return await connection.open();
    } catch (error) {
      throw this.#cannotReach(error);
    }
  }

  faultOf(error: unknown): SqlFault {
    return faultOf(error);
  }

  /** Brings the room's tables to today's. Throws SchemaTooNew, or CannotReachDatabase. */
  migrateRoom(schema: RoomSchema): Promise<void> {
    return this.#changeSchema((connection) => migrate(schemaOf(connection, this.description), schema));
  }

  /** Throws SchemaTooNew and SchemaTooOld unless the room's tables are of today. */
  assertToday(schema: RoomSchema): Promise<void> {
    return this.#changeSchema((connection) => assertToday(schemaOf(connection, this.description), schema));
  }

  /** Drops the tables of all rooms but the ledger. Throws CannotReachDatabase. */
  dropRooms(): Promise<void> {
    return this.#changeSchema((connection) => dropRooms(schemaOf(connection, this.description)));
  }

  async #changeSchema(change: (connection: MysqlConnection) => Promise<void>): Promise<void> {
    const patient = { ...this.timeouts, queryTimeoutMs: MIGRATION_TIMEOUT_MS };
    const connection = await this.opened(new MysqlConnection(this.address.options, patient));
    try {
      await change(connection);
    } catch (error) {
      throw this.#cannotReach(error);
    } finally {
      await connection.close();
    }
  }

  #cannotReach(error: unknown): unknown {
    const isOfDatabase = error instanceof MysqlError || error instanceof CannotReachDatabase;
    return isOfDatabase ? cannotReach(this.description, this.address.user, error) : error;
  }
}
