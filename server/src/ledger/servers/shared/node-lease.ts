// A node number of this process's own (0 … 1023) for as long as it runs, so that ids of several processes never
// collide: a lease on the server's clock. A process that was away for longer than its lease may find the number taken,
// and then gets another.
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_NODE_ID } from '@floodgate/core/ids.ts';
import type { Connections } from '../../../drivers/sql/connections.ts';
import { LEASE_TIMES, LeaseRows } from '../../../drivers/sql/lease.ts';
import type { SqlConnection } from '../../../drivers/sql/sql.ts';

const MAX_TRIES = 50;

export class NodeLease {
  readonly #connections: Connections<SqlConnection>;
  // An older table than that of named leases, and read by older programs: so it stays.
  readonly #rows = new LeaseRows<number>({ table: 'node_leases', key: 'node_id' }, LEASE_TIMES);
  readonly #onMoved: (nodeId: number) => void;
  readonly #renewMs: number;
  readonly #stop = new AbortController();
  #nodeId: number | undefined;
  #renewing: Promise<void> | undefined;

  /** `onMoved`: the number was lost, and this is the new one. */
  constructor(
    connections: Connections<SqlConnection>,
    onMoved: (nodeId: number) => void,
    renewMs = LEASE_TIMES.renewMs,
  ) {
    this.#connections = connections;
    this.#onMoved = onMoved;
    this.#renewMs = renewMs;
  }

  async take(): Promise<number> {
    this.#nodeId = await this.#connections.use((connection) => this.#leaseFree(connection));
    this.#renewing ??= this.#renewUntilStopped();
    return this.#nodeId;
  }

  async #leaseFree(connection: SqlConnection): Promise<number> {
    for (let i = 0; i < MAX_TRIES; i++) {
      const leased = await this.#rows.leased(connection);
      const all = Array.from({ length: MAX_NODE_ID + 1 }, (_, nodeId) => nodeId);
      const free = all.filter((nodeId) => !leased.has(String(nodeId)));
      if (free.length === 0) throw new Error(`all ${MAX_NODE_ID + 1} node numbers are leased`);
      // Any of them, so that processes that start together rarely want the same.
      const nodeId = free[Math.floor(Math.random() * free.length)]!;
      if (await this.#rows.take(connection, nodeId)) return nodeId;
    }
    throw new Error('no node number could be leased');
  }

  async #renewUntilStopped(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(this.#renewMs, undefined, { signal, ref: false }).catch(() => {});
      // While the database is away nothing can be written under any id; the next round tries again.
      if (!signal.aborted) await this.renew().catch(() => {});
    }
  }

  /** Asks the server for more time, and for another number when this one is somebody else's by now. */
  async renew(): Promise<void> {
    const moved = await this.#connections.use(async (connection) => {
      const isOurs = await this.#rows.renew(connection, this.#nodeId!);
      return isOurs ? undefined : await this.#leaseFree(connection);
    });
    if (moved === undefined) return;
    this.#nodeId = moved;
    this.#onMoved(moved);
  }

  /** Gives the number back. */
  async release(): Promise<void> {
    this.#stop.abort();
    await this.#renewing;
    if (this.#nodeId === undefined) return;
    const nodeId = this.#nodeId;
    // When the database is away, the lease ends by itself.
    await this.#connections.use((connection) => this.#rows.release(connection, nodeId)).catch(() => {});
  }
}
