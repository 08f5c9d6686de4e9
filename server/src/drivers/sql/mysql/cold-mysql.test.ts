// Cold data on a real MariaDB.
import { startMariadb } from '../../../../test/kit/servers/mariadb.ts';
import { MysqlServer } from '../../../ledger/servers/mysql/mysql-server.ts';
import { coldServerContract } from '../../contract/cold-server.contract.ts';
import { mysqlPlace } from '../cold-places.ts';

coldServerContract({
  ...{ name: 'MariaDB', binary: 'mariadb', kind: 'mysql' },
  place: mysqlPlace,
  server: (url) => new MysqlServer(url),
  start: startMariadb,
});
