// How a connection is set up: nothing that correctness or bounded waiting needs is left to the server's configuration.
import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'mysql2';
import { CannotReachDatabase, type SqlRow } from '../sql.ts';

/** What differs between MariaDB and MySQL, and what this server accepts. */
export interface Flavour {
  readonly isMariadb: boolean;
  /** Bytes. */
  readonly maxPacket: number;
}

/** Names a collation that compares by code points, trailing blanks too. */
export function collationOf({ isMariadb }: Flavour): string {
  return isMariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

/** JSON_TABLE came with MariaDB 10.6, binary text without padding with MySQL 8.0.17. */
const OLDEST = { mariadb: '10.6.0', mysql: '8.0.17' };

/** Of the row `version, max_packet`. Throws CannotReachDatabase for a server that is too old. */
export function flavourOf({ version, max_packet: maxPacket }: SqlRow): Flavour {
  const isMariadb = /mariadb/i.test(version ?? '');
  const oldest = isMariadb ? OLDEST.mariadb : OLDEST.mysql;
  if (isOlder(version ?? '', oldest)) {
    const name = isMariadb ? 'MariaDB' : 'MySQL';
    throw new CannotReachDatabase(`${name} ${version} is too old: ${oldest} or newer is needed`);
  }
  return { isMariadb, maxPacket: Number(maxPacket) };
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((each) => each.split(/[.-]/).slice(0, 3).map(Number));
  const at = b!.findIndex((number, index) => a![index] !== number);
  return at >= 0 && (a![at] ?? 0) < b![at]!;
}

export const DRIVER: ConnectionOptions = {
  multipleStatements: true,
  // Ids are beyond a double; the code that reads a column knows whether it is a number.
  supportBigNumbers: true,
  bigNumberStrings: true,
  // Never a file of this machine. Rows found are counted, also when nothing in them changes.
  flags: ['-LOCAL_FILES', 'FOUND_ROWS'],
  trace: false,
  // The driver looks for placeholders in megabytes that have none.
  queryFormat: (sql: string) => sql,
};

const KEEP_ALIVE_AFTER_MS = 10_000;

/** The socket is ours, because the driver has no way to give one up at once. */
export function openSocket({ host, port, socketPath }: ConnectionOptions): Socket {
  const socket = socketPath ? connect(socketPath) : connect(port!, host!);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  return socket;
}

/**
 * The first statements on a connection. A statement ends after `queryTimeoutMs` on the server too; a transaction that
 * idles for five seconds is ended (MySQL cannot, see the ledger's batches), for its process may be stopped.
 */
export function sessionOf({ isMariadb }: Flavour, queryTimeoutMs: number): string[] {
  const seconds = Math.ceil(queryTimeoutMs / 1_000);
  const variables = {
    autocommit: '1',
    completion_type: '0',
    sql_mode: `'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'`,
    time_zone: `'+00:00'`,
    sql_safe_updates: '0',
    sql_select_limit: 'DEFAULT',
    innodb_lock_wait_timeout: '3',
    lock_wait_timeout: `${seconds}`,
    group_concat_max_len: `${16 * 1024 * 1024}`,
    ...(isMariadb
      ? {
          idle_transaction_timeout: '5',
          max_statement_time: `${seconds}`,
          join_cache_level: '2',
          // Long IN lists stay ranges of the index.
          in_predicate_conversion_threshold: '0',
        }
      : { max_execution_time: `${queryTimeoutMs}` }),
  };
  const settings = Object.entries(variables).map(([name, value]) => `${name} = ${value}`);
  return [`SET SESSION ${settings.join(', ')}`, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED'];
}
