// npm run audit: checks the rules S1, S2, S3, S6, S10 and S11 against every row of the ledger, and the inventory against
// the ledger where Redis has it (rows F8, C4). Ends with exit code 1 when a rule is broken. May run beside the shop.
import { parseArgs } from 'node:util';
import type { StreamId } from '@floodgate/core/ids.ts';
import { ledgerName, openSqlLedger } from '../compose.ts';
import { BadConfig, type Config, readConfig } from '../config.ts';
import type { AuditCheck, StreamHead } from '../ledger/ledger.ts';
import { SqliteReader } from '../ledger/sqlite/reader.ts';
import { explainAndExit } from '../main.ts';

interface Auditable {
  streams(): StreamHead[] | Promise<StreamHead[]>;
  audit(stream: StreamId): AuditCheck[] | Promise<AuditCheck[]>;
  close(): void | Promise<void>;
}

async function audit(): Promise<void> {
  const { values } = parseArgs({ options: { event: { type: 'string' } } });
  const config = readConfig({ ...process.env, NODE_ENV: 'development' });
  const ledger = await open(config);
  try {
    const all = (await ledger.streams()).map(({ stream }) => stream);
    const streams = all.filter((stream) => (values.event ?? stream) === stream);
    if (values.event !== undefined && streams.length === 0)
      throw new BadConfig(`there is no event ${values.event}`);
    process.stdout.write(`Auditing ${streams.length} event(s) of ${ledgerName(config.database)}\n`);
    for (const stream of streams) await auditStream(ledger, stream);
    process.stdout.write(process.exitCode ? 'A RULE IS BROKEN: see above.\n' : 'Every rule holds.\n');
  } finally {
    await ledger.close();
  }
}

/** One line when all is well, a line for each broken rule else. */
async function auditStream(ledger: Auditable, stream: StreamId): Promise<void> {
  const checks = await ledger.audit(stream);
  const broken = checks.filter(({ ok }) => !ok);
  const conservation = checks.find(({ rule }) => rule === 'S2');
  const rules = checks.map(({ rule }) => rule).join(' ');
  process.stdout.write(
    `${broken.length > 0 ? '✖' : '✔'} ${stream}  ${rules}  ${conservation?.detail ?? ''}\n`,
  );
  for (const { rule, detail } of broken) process.stdout.write(`    ${rule}: ${detail}\n`);
  if (broken.length > 0) process.exitCode = 1;
}

/** A SQLite ledger is read beside the shop that writes it; a server has room for one more client anyway. */
async function open({ database }: Config): Promise<Auditable> {
  if (database.kind === 'sqlite') return new SqliteReader(database.file);
  return openSqlLedger(database, (line) => process.stderr.write(`${line}\n`));
}

await audit().catch((error: unknown) => {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  explainAndExit(isUsage ? new BadConfig('usage: npm run audit [-- --event 1]') : error);
});
