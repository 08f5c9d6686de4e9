// Cold data on a real MariaDB.
import { startMariadb } from '../../../../test/kit/servers/mariadb.ts';
import { MysqlServer } from '../../../ledger/servers/mysql/mysql-server.ts';
import { coldServerContract } from '../../contract/cold-server.contract.ts';
import { coldMysql } from '../cold-databases.ts';
import { mysqlPlace } from '../cold-places.ts';

coldServerContract({
  ...{ name: 'MariaDB', binary: 'mariadb', kind: 'mysql' },
  ...{ place: mysqlPlace, database: coldMysql },
  server: (url) => new MysqlServer(url),
  start: startMariadb,
});
