// A node number of this process's own (0 … 1023) for as long as it runs, so that ids of several processes never
// collide. It is leased on the server's clock and renewed; a process that was away for longer than its lease may find
// the number taken, and then gets another.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_NODE_ID } from '@floodgate/core/ids.ts';
import type { Connections } from '../../../drivers/sql/connections.ts';
import type { SqlConnection } from '../../../drivers/sql/sql.ts';

export const LEASE_MS = 60_000;
const RENEW_MS = 15_000;
const MAX_TRIES = 50;

export class NodeLease {
  readonly #connections: Connections;
  readonly #token = randomUUID();
  readonly #onMoved: (nodeId: number) => void;
  readonly #renewMs: number;
  readonly #stop = new AbortController();
  #nodeId: number | undefined;
  #renewing: Promise<void> | undefined;

  /** `onMoved`: the number was lost, and this is the new one. */
  constructor(connections: Connections, onMoved: (nodeId: number) => void, renewMs = RENEW_MS) {
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
      const nowMs = await connection.nowMs();
      const rows = await connection.query('SELECT node_id, token, expires_at_ms FROM node_leases');
      const leases = new Map(rows.map((row) => [Number(row.node_id), row]));
      const isFree = (nodeId: number) => Number(leases.get(nodeId)?.expires_at_ms ?? 0) < nowMs;
      const free = Array.from({ length: MAX_NODE_ID + 1 }, (_, nodeId) => nodeId).filter(isFree);
      if (free.length === 0) throw new Error(`all ${MAX_NODE_ID + 1} node numbers are leased`);
      // Any of them, so that processes that start together rarely want the same.
      const nodeId = free[Math.floor(Math.random() * free.length)]!;
      if (await this.#lease(connection, nodeId, leases.get(nodeId)?.token, nowMs)) return nodeId;
    }
    throw new Error('no node number could be leased');
  }

  /** One statement decides: an insert that finds no row, or an update of the lease that was seen to have ended. */
  async #lease(
    connection: SqlConnection,
    nodeId: number,
    seen: string | null | undefined,
    nowMs: number,
  ): Promise<boolean> {
    const expiresMs = nowMs + LEASE_MS;
    if (typeof seen === 'string') {
      await connection.query(
        'UPDATE node_leases SET token = ?, expires_at_ms = ? WHERE node_id = ? AND token = ? AND expires_at_ms < ?',
        [this.#token, expiresMs, nodeId, seen, nowMs],
      );
    } else {
      const sql = 'INSERT INTO node_leases (node_id, token, expires_at_ms) VALUES (?, ?, ?)';
      // Another process may have been faster; who has it is read below.
      await connection.query(sql, [nodeId, this.#token, expiresMs]).catch((error) => {
        if (!connection.isOpen) throw error;
      });
    }
    return this.#isOurs(connection, nodeId);
  }

  async #isOurs(connection: SqlConnection, nodeId: number): Promise<boolean> {
    const sql = 'SELECT node_id FROM node_leases WHERE node_id = ? AND token = ?';
    return (await connection.query(sql, [nodeId, this.#token])).length > 0;
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
      const nowMs = await connection.nowMs();
      const sql = 'UPDATE node_leases SET expires_at_ms = ? WHERE node_id = ? AND token = ?';
      await connection.query(sql, [nowMs + LEASE_MS, this.#nodeId!, this.#token]);
      return (await this.#isOurs(connection, this.#nodeId!)) ? undefined : await this.#leaseFree(connection);
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
    const sql = 'UPDATE node_leases SET expires_at_ms = 0 WHERE node_id = ? AND token = ?';
    // When the database is away, the lease ends by itself.
    await this.#connections.use((connection) => connection.query(sql, [nodeId, this.#token])).catch(() => {});
  }
}
