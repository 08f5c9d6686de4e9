// What the lane needs to serve requests, beside the operations: made once by the program.
import type { Actor, BadCredential, Credentials } from '@floodgate/core/actor.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Cors } from './cors.ts';

export interface Doors {
  readonly telemetry: Telemetry;
  /** Who acts, by the credentials of the request: see sales/access/who.ts. */
  readonly actorOf: (credentials: Credentials) => Actor | BadCredential | Promise<Actor | BadCredential>;
  /** Which stores are behind the shop, for /health: "ledger: sqlite, inventory: memory". */
  readonly mode: () => string;
  /** Undefined: pages of other origins are not let in. */
  readonly cors?: Cors | undefined;
  /** What does not work as it should, for /health and every answer: "inventory", "ledger, inventory"; else empty. */
  readonly degraded: () => string;
  /** True from SIGTERM on: answers then close their connections. See `drain`. */
  isDraining: boolean;
  /** The streams that clients are reading now, each with what stops it. */
  readonly streams: Set<AbortController>;
}

/** From now on answers close their connections, and streams that would go on for ever end. */
export function drain(doors: Doors): void {
  doors.isDraining = true;
  for (const stream of doors.streams) stream.abort();
}
