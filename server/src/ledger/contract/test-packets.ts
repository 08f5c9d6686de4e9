// A server of small packets, for tests.
import { MysqlServer } from '../servers/mysql/mysql-server.ts';

/** The server takes packets of a megabyte meanwhile, of connections that are made meanwhile. */
export async function withSmallPackets(adminUrl: string, use: () => Promise<void>): Promise<void> {
  const admin = await new MysqlServer(adminUrl).connect();
  const limit = (bytes: number) => admin.query(`SET GLOBAL max_allowed_packet = ${bytes}`);
  await limit(1_048_576);
  try {
    await use();
  } finally {
    await limit(16_777_216);
    await admin.close();
  }
}
