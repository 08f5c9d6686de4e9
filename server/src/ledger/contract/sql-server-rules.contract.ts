// What the SQL ledger keeps on every database server, shown on real ones: several processes that write the same
// event, lost answers, deadlocks, servers that die, stop, or are not what they should be. The suites are beside this.
import { breaking } from './sql-server-faults.contract.ts';
import { racing } from './sql-server-races.contract.ts';
import { staffing } from './sql-server-staff.contract.ts';
import { starting } from './sql-server-start.contract.ts';
import { agreeing } from './sql-server-twin.contract.ts';
import { upgrading } from './sql-server-upgrade.contract.ts';
import type { ServerKind } from './test-server.ts';

export type { ServerKind } from './test-server.ts';

/** Registers the suites. A server that tests only read and write is shared; those that break one start their own. */
export function sqlServerRules(kind: ServerKind): void {
  racing(kind);
  breaking(kind);
  starting(kind);
  staffing(kind);
  agreeing(kind);
  upgrading(kind);
}
