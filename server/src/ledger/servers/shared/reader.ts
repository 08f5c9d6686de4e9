// Where reads go: to the primary, or, when they may lag and there is one, to a replica. Reading twice does no harm,
// so a read whose connection broke, or that the server cancelled, is read again.

import { Connections, NoConnectionFree } from '../../../drivers/sql/connections.ts';
import type { Reach } from '../../../drivers/sql/reach.ts';
import { CannotReachDatabase, type SqlConnection } from '../../../drivers/sql/sql.ts';
import { within } from '../../../drivers/time.ts';
import { LedgerUnavailable } from '../../ledger.ts';
import { NotThereYet } from '../../reads.ts';
import type { SqlServer } from './sql-server.ts';

const LIMITS = { size: 4, maxWaiting: 2_000, maxWaitMs: 5_000 };
const MAX_TRIES = 3;
/** A buyer waits so long for what is read in a millisecond. */
const SOON_MS = 5_000;
/** So long nobody asks a replica that failed. */
const REPLICA_REST_MS = 5_000;

type Read<T> = (connection: SqlConnection) => Promise<T>;

export class Reader {
  readonly connections: Connections<SqlConnection>;
  readonly #server: SqlServer;
  readonly #reach: Reach;
  readonly #replica:
    | { readonly server: SqlServer; readonly connections: Connections<SqlConnection> }
    | undefined;
  readonly #onCannotReach: () => void;
  #replicaRestsUntilMs = 0;

  /** `onCannotReach`: no connection to the primary could be made, which may concern writers too. */
  constructor(server: SqlServer, reach: Reach, replica: SqlServer | undefined, onCannotReach: () => void) {
    this.#server = server;
    this.#reach = reach;
    this.#onCannotReach = onCannotReach;
    this.connections = new Connections<SqlConnection>(server, LIMITS);
    this.#replica = replica && {
      server: replica,
      connections: new Connections<SqlConnection>(replica, LIMITS),
    };
  }

  /** Sees every commit that was answered. Rejects with LedgerUnavailable when the database is away. */
  async now<T>(read: Read<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        if (!this.#reach.isUp) throw new CannotReachDatabase(`${this.#server.description} is away`);
        return await this.connections.use(read);
      } catch (error) {
        if (!isPassing(this.#server, error)) throw error;
        if (error instanceof CannotReachDatabase) this.#onCannotReach();
        const mayTryAgain = tries < MAX_TRIES && !(error instanceof CannotReachDatabase);
        if (!mayTryAgain) throw new LedgerUnavailable((error as Error).message, { cause: error });
      }
    }
  }

  /** As `now`, of a few rows for somebody who waits for them. */
  async soon<T>(read: Read<T>): Promise<T> {
    return within(SOON_MS, this.now(read), () => {
      return new LedgerUnavailable(`${this.#server.description} did not answer within ${SOON_MS} ms`);
    });
  }

  /** May lag behind; from the primary while there is no replica that works. */
  async lagging<T>(read: Read<T>): Promise<T> {
    const replica = this.#replica;
    if (!replica || performance.now() < this.#replicaRestsUntilMs) return this.now(read);
    try {
      return await replica.connections.use(read);
    } catch (error) {
      if (error instanceof NotThereYet) return this.now(read);
      if (!isPassing(replica.server, error)) throw error;
      this.#replicaRestsUntilMs = performance.now() + REPLICA_REST_MS;
      return this.now(read);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.connections.close(), this.#replica?.connections.close()]);
  }
}

function isPassing(server: SqlServer, error: unknown): boolean {
  return (
    error instanceof CannotReachDatabase ||
    error instanceof NoConnectionFree ||
    server.faultOf(error) !== 'other'
  );
}
