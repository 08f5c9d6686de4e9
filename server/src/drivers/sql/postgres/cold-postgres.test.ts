// Cold data on a real PostgreSQL.
import { startPostgres } from '../../../../test/kit/servers/postgres.ts';
import { PostgresServer } from '../../../ledger/servers/postgres/postgres-server.ts';
import { coldServerContract } from '../../contract/cold-server.contract.ts';
import { coldPostgres } from '../cold-databases.ts';
import { postgresPlace } from '../cold-places.ts';

coldServerContract({
  ...{ name: 'PostgreSQL', binary: 'postgres', kind: 'postgres' },
  ...{ place: postgresPlace, database: coldPostgres },
  server: (url) => new PostgresServer(url),
  start: startPostgres,
});
