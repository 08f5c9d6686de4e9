// What the SQL ledger keeps on every database server, shown on real ones: several processes that write the same
// event, lost answers, deadlocks, servers that die, stop, or are not what they should be. The suites are beside this.
import type { SqlServer } from './sql-server.ts';
import { breaking } from './sql-server-faults.contract.ts';
import { racing } from './sql-server-races.contract.ts';
import { starting } from './sql-server-start.contract.ts';
import type { StartedServer } from './test-server.ts';

/** How a kind of server is started, and what differs between kinds. */
export interface ServerKind {
  readonly name: string;
  /** With settings of the server's own names. */
  start(settings?: Readonly<Record<string, string>>): Promise<StartedServer>;
  make(url: string): SqlServer;
  /** Settings that allow few connections, and how many more than that a flood needs. */
  readonly fewConnections: Readonly<Record<string, string>>;
  /** Settings that could lose an answered sale, and what is said of them. */
  readonly weak: {
    readonly settings: Readonly<Record<string, string>>;
    readonly warnings: readonly RegExp[];
  };
}

/** Registers the suites. A server that tests only read and write is shared; those that break one start their own. */
export function sqlServerRules(kind: ServerKind): void {
  racing(kind);
  breaking(kind);
  starting(kind);
}
