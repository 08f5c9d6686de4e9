// For the tests of SQL servers: what a started server offers, and a server whose connections can be held up, broken
// or robbed of their locks at a chosen step. All else is the real server's.
import type { SqlFault } from '../../drivers/sql/sql.ts';
import {
  type BatchConnection,
  type BatchQuery,
  type BatchRows,
  type BatchWrite,
  type ForeseenHead,
  NOTHING_ASKED,
  type SqlServer,
} from '../servers/shared/sql-server.ts';

/** A real server that a test started: see server/test/servers. */
export interface StartedServer {
  readonly url: string;
  readonly port: number;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  restart(): Promise<void>;
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** How a kind of server is started, and what differs between kinds. */
export interface ServerKind {
  readonly name: string;
  /** With settings of the server's own names. */
  start(settings?: Readonly<Record<string, string>>): Promise<StartedServer>;
  make(url: string): SqlServer;
  /** Settings that allow few connections. */
  readonly fewConnections: Readonly<Record<string, string>>;
  /** Settings that could lose an answered sale, and what is said of them. */
  readonly weak: {
    readonly settings: Readonly<Record<string, string>>;
    readonly warnings: readonly RegExp[];
  };
}

/** Steps in between. Each gets the step of the real connection to do it, or not. */
export interface Hooks {
  readBatch?: (query: BatchQuery, real: BatchConnection) => Promise<BatchRows>;
  writeBatch?: (write: BatchWrite, real: BatchConnection) => Promise<void>;
  /** Without it, the other two see a foreseen batch. */
  writeForeseen?: (
    foreseen: readonly ForeseenHead[],
    write: BatchWrite,
    real: BatchConnection,
  ) => Promise<void>;
}

export class HookedServer implements SqlServer {
  readonly description: string;
  readonly claimedTickets: string;
  /** What the ledger was told of faults. */
  readonly faults: SqlFault[] = [];
  /** How many batches were foreseen, and how many of them the server refused. */
  readonly foreseen = { tried: 0, refused: 0 };
  hooks: Hooks;
  readonly #server: SqlServer;

  constructor(server: SqlServer, hooks: Hooks = {}) {
    this.#server = server;
    this.hooks = hooks;
    this.description = server.description;
    this.claimedTickets = server.claimedTickets;
  }

  async connect(): Promise<BatchConnection> {
    const real = await this.#server.connect();
    const hooked: BatchConnection = {
      get isOpen() {
        return real.isOpen;
      },
      get maxTextBytes() {
        return real.maxTextBytes;
      },
      readBatch: (query) =>
        this.hooks.readBatch ? this.hooks.readBatch(query, real) : real.readBatch(query),
      writeBatch: (write) =>
        this.hooks.writeBatch ? this.hooks.writeBatch(write, real) : real.writeBatch(write),
      writeForeseen: async (foreseen, write) => {
        this.foreseen.tried++;
        try {
          await this.#writeForeseen(foreseen, write, hooked, real);
        } catch (error) {
          this.foreseen.refused++;
          throw error;
        }
      },
      rollback: () => real.rollback(),
      query: (sql, parameters) => real.query(sql, parameters),
      execute: (sql, parameters) => real.execute(sql, parameters),
      nowMs: () => real.nowMs(),
      inOneView: (read) => real.inOneView(read),
      close: () => real.close(),
      destroy: () => real.destroy(),
    };
    return hooked;
  }

  #writeForeseen(
    foreseen: readonly ForeseenHead[],
    write: BatchWrite,
    hooked: BatchConnection,
    real: BatchConnection,
  ): Promise<void> {
    const { writeForeseen, readBatch, writeBatch } = this.hooks;
    if (writeForeseen) return writeForeseen(foreseen, write, real);
    if (readBatch || writeBatch) return inTwoTrips(hooked, foreseen, write);
    return real.writeForeseen(foreseen, write);
  }

  faultOf(error: unknown): SqlFault {
    if (error instanceof NotAsForeseen) return 'other';
    const fault = this.#server.faultOf(error);
    this.faults.push(fault);
    return fault;
  }

  assertMigrated(): Promise<void> {
    return this.#server.assertMigrated();
  }

  migrate(): Promise<void> {
    return this.#server.migrate();
  }

  dropRooms(): Promise<void> {
    return this.#server.dropRooms();
  }

  weakDurability(): Promise<string[]> {
    return this.#server.weakDurability();
  }
}

class NotAsForeseen extends Error {}

/** A foreseen batch that the hooks of both of its trips see. */
async function inTwoTrips(
  connection: BatchConnection,
  foreseen: readonly ForeseenHead[],
  write: BatchWrite,
): Promise<void> {
  const eventNos = foreseen.map(({ eventNo }) => eventNo);
  const { heads } = await connection.readBatch({ ...NOTHING_ASKED, eventNos });
  const seqs = new Map(heads.map((head) => [Number(head.event_no), Number(head.seq)]));
  if (foreseen.some(({ eventNo, seq }) => seqs.get(eventNo) !== seq)) throw new NotAsForeseen();
  await connection.writeBatch(write);
}
