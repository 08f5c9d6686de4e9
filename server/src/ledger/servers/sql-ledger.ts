// The ledger on a database server, shared by any number of processes: group commits on two connections, reads beside
// them. What differs between servers is behind SqlServer.
import type { StreamId } from '@floodgate/core/ids.ts';
import { Connections } from '../../drivers/sql/connections.ts';
import { Reach } from '../../drivers/sql/reach.ts';
import { ServerClock } from '../../drivers/sql/server-clock.ts';
import type { SqlConnection } from '../../drivers/sql/sql.ts';
import { once } from '../../drivers/time.ts';
import { GroupCommit, type GroupCommitOptions } from '../group-commit.ts';
import { type Entry, type Ledger, LedgerUnavailable, type OutcomeOf } from '../ledger.ts';
import { ReadingLater, readNamed } from '../reading.ts';
import type { ReadDialect, ReadName } from '../reads.ts';
import { Catalogue } from './shared/event-numbers.ts';
import { KnownHeads } from './shared/known-heads.ts';
import { NodeLease } from './shared/node-lease.ts';
import { readDialect, readOn } from './shared/read-dialect.ts';
import { Reader } from './shared/reader.ts';
import { type BatchConnection, type SqlServer, WeakDurability } from './shared/sql-server.ts';
import { SqlWriter } from './shared/sql-writer.ts';
import type { KnownEvent } from './shared/working-set.ts';

/** Two, so that the next batch waits for the event's lock at the server and not for an answer to travel. */
const WRITERS = { size: 2, maxWaiting: 2, maxWaitMs: 5_000 };
const CLOCK_EVERY_MS = 60_000;
/** What waited so long is refused: its buyer is gone or angry. */
const MAX_WAIT_MS = 3_000;

export interface SqlLedgerOptions {
  readonly commits: GroupCommitOptions;
  /** For reads that may lag: lists of orders, the journal, audits, statistics. */
  readonly readReplica?: SqlServer | undefined;
  /** Instead of the server's clock: for tests. */
  readonly clock?: { nowMs(): number } | undefined;
  /** Settings under which an answered sale could be lost are refused, instead of warned about. */
  readonly isProduction: boolean;
  /** A schema that is not today's is refused, instead of brought up to date. */
  readonly onlyReads?: boolean | undefined;
  readonly warn: (line: string) => void;
  /** The database cannot be reached any more, and can again: one line for people each. */
  readonly onFault?: ((line: string) => void) | undefined;
  readonly onRecovered?: ((line: string) => void) | undefined;
}

/** What is learned of the server when the ledger is opened. */
interface Found {
  readonly clock: { nowMs(): number };
  readonly maxTextBytes: number;
}

export class SqlLedger extends ReadingLater implements Ledger {
  readonly #server: SqlServer;
  readonly #dialect: ReadDialect;
  readonly #catalogue = new Catalogue();
  readonly #reach: Reach;
  readonly #writers: Connections<BatchConnection>;
  readonly #writer: SqlWriter;
  readonly #reader: Reader;
  readonly #commits: GroupCommit;
  readonly #clock: { nowMs(): number };
  readonly #maxTextBytes: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #lease: NodeLease | undefined;

  private constructor(server: SqlServer, options: SqlLedgerOptions, found: Found) {
    super();
    const { clock } = found;
    this.#server = server;
    this.#dialect = readDialect(server);
    this.#clock = clock;
    this.#maxTextBytes = found.maxTextBytes;
    this.#reach = new Reach(server, {
      onFault: options.onFault,
      onRecovered: (line) => {
        this.#writer.recovered();
        options.onRecovered?.(line);
      },
    });
    this.#writers = new Connections(server, WRITERS);
    const rooms = {
      server,
      clock,
      heads: new KnownHeads(),
      catalogue: this.#catalogue,
      connections: this.#writers,
      reach: this.#reach,
    };
    this.#writer = new SqlWriter(rooms);
    this.#reader = new Reader(server, this.#reach, options.readReplica, () => this.#writer.check());
    const commit = (entries: Entry[]) => this.#writer.commit(entries);
    this.#commits = new GroupCommit(commit, { depth: 2, maxWaitMs: MAX_WAIT_MS, ...options.commits });
    if (clock instanceof ServerClock) {
      this.#timer = setInterval(() => void this.#readClock(clock).catch(() => {}), CLOCK_EVERY_MS).unref();
    }
  }

  /**
   * Brings the schema to today's and opens the ledger. Throws CannotReachDatabase, SchemaTooNew, SchemaTooOld where it may
   * only read, or, in production, WeakDurability: each with one line for the operator.
   */
  static async open(server: SqlServer, options: SqlLedgerOptions): Promise<SqlLedger> {
    await (options.onlyReads ? server.assertMigrated() : server.migrate());
    const weak = await server.weakDurability();
    if (weak.length > 0 && options.isProduction) throw new WeakDurability(weak.join('; '));
    for (const line of weak) options.warn(line);
    const connection = await server.connect();
    try {
      const clock = options.clock ?? (await clockOf(connection));
      return new SqlLedger(server, options, { clock, maxTextBytes: connection.maxTextBytes });
    } finally {
      await connection.close();
    }
  }

  post<E extends Entry>(entry: E): Promise<OutcomeOf<E>> {
    if (!this.#reach.isUp) {
      return Promise.reject(new LedgerUnavailable(`${this.#server.description} is away`));
    }
    if (entry.kind === 'keep-manifest' && Buffer.byteLength(entry.content) > this.#maxTextBytes) {
      const most = `${this.#server.description} takes texts of at most ${this.#maxTextBytes} bytes`;
      return Promise.reject(new LedgerUnavailable(`${most}: raise its max_allowed_packet`));
    }
    return this.#commits.post(entry);
  }

  /** How many entries wait for the next batch. */
  get waiting(): number {
    return this.#commits.waiting;
  }

  isWritable(): boolean {
    return this.#writer.isWritable;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /**
   * A node number (0 … 1023) that no other process of this database has, until the ledger is closed. `onMoved` tells a
   * new one, should this process be away for so long that another got the number.
   */
  leaseNodeId(onMoved: (nodeId: number) => void): Promise<number> {
    this.#lease ??= new NodeLease(this.#reader.connections, onMoved);
    return this.#lease.take();
  }

  /** What happens every 15 s: more time for the node number, or another number. */
  async renewNodeId(): Promise<void> {
    await this.#lease?.renew();
  }

  protected override async answer(name: ReadName, asked: readonly unknown[]): Promise<unknown> {
    const { currency, inOneView, read, ofEvent, ofUnknown } = readNamed(name);
    const stream = asked[0] as StreamId;
    const event = ofEvent && (await this.#find(stream));
    if (ofEvent && !event) return ofUnknown!(stream);
    // Anew whenever it is tried again.
    const begin = () =>
      event ? ofEvent!(this.#dialect, event.eventNo, ...asked) : read!(this.#dialect, ...asked);
    const where = typeof currency === 'function' ? currency(...asked) : currency;
    return this.#reader[where]((connection) =>
      inOneView ? connection.inOneView(() => readOn(connection, begin())) : readOn(connection, begin()),
    );
  }

  /** Closing again waits for the first. */
  readonly close = once(() => this.#close());

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#commits.close();
    await this.#lease?.release();
    await this.#reach.close();
    await Promise.all([this.#reader.close(), this.#writers.close()]);
  }

  async #find(eventId: StreamId): Promise<KnownEvent | undefined> {
    const { known } = this.#catalogue;
    if (!known.has(eventId)) {
      await this.#reader.soon((connection) => this.#catalogue.lookUp(connection, [eventId]));
    }
    return known.get(eventId);
  }

  #readClock(clock: ServerClock): Promise<void> {
    return this.#reader.now(async (connection) => clock.correct(await readingOf(connection)));
  }
}

async function clockOf(connection: SqlConnection): Promise<ServerClock> {
  const [row] = await connection.query('SELECT max(at_ms) AS at_ms FROM event_heads');
  return new ServerClock(await readingOf(connection), Number(row?.at_ms ?? 0));
}

async function readingOf(connection: SqlConnection) {
  const askedMs = ServerClock.localMs();
  const serverMs = await connection.nowMs();
  return { serverMs, askedMs, answeredMs: ServerClock.localMs() };
}
