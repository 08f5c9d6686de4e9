// npm run db:reset: deletes the ledger, after asking; --yes does not ask (row B6).
import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { ledgerName, sqlServer } from '../compose.ts';
import { BadConfig, type Database, readConfig } from '../config.ts';
import { coldFileOf } from '../drivers/sql/cold-databases.ts';
import { EventKeys } from '../inventory/redis/forget.ts';
import { dropLedger } from '../ledger/servers/shared/drop-ledger.ts';
import { lockLedger } from '../ledger/sqlite/lock.ts';
import { explainAndExit } from '../main.ts';

async function reset(): Promise<void> {
  const { values } = parseArgs({ options: { yes: { type: 'boolean', default: false } } });
  const { database, redisUrl } = readConfig({ ...process.env, NODE_ENV: 'development' });
  const name = ledgerName(database);
  if (database.kind === 'sqlite' && !existsSync(database.file)) {
    process.stdout.write(`There is no ledger at ${name}: nothing to reset.\n`);
    return;
  }
  // Before asking, so that nobody says yes to resetting the ledger of a running shop, or to half a reset.
  const unlock = database.kind === 'sqlite' ? lockLedger(database.file) : () => {};
  const events = redisUrl === undefined ? undefined : await EventKeys.reach(redisUrl);
  try {
    if (!values.yes && !(await isConfirmed(name))) {
      process.stdout.write('Nothing was changed.\n');
      process.exitCode = 1;
      return;
    }
    await deleteLedger(database);
    // What Redis knows is of the ledger that is gone.
    await events?.forgetAll();
    process.stdout.write(`${name} is deleted. The next start makes a new one with demo events.\n`);
  } finally {
    events?.close();
    unlock();
  }
}

async function deleteLedger(database: Database): Promise<void> {
  if (database.kind !== 'sqlite') return dropLedger(sqlServer(database));
  // The ledger goes last: as long as it is there, a deletion that was cut off half-way can be repeated.
  for (const file of [coldFileOf(database.file), database.file]) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  }
}

async function isConfirmed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new BadConfig(`this deletes ${name}: say --yes to do it without being asked`);
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`Delete ${name} with every event, hold and order in it? [y/N] `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

await reset().catch((error: unknown) => {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  explainAndExit(isUsage ? new BadConfig('usage: npm run db:reset [-- --yes]') : error);
});
