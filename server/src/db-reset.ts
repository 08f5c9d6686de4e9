// npm run db:reset: deletes the ledger, after asking; --yes does not ask (row B6).
import { existsSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { BadConfig, readConfig } from './config.ts';
import { lockLedger } from './ledger/sqlite/lock.ts';
import { explainAndExit } from './main.ts';

async function reset(): Promise<void> {
  const { values } = parseArgs({ options: { yes: { type: 'boolean', default: false } } });
  const { ledgerFile } = readConfig({ ...process.env, NODE_ENV: 'development' });
  const name = relative(process.cwd(), ledgerFile);
  if (!existsSync(ledgerFile)) {
    process.stdout.write(`There is no ledger at ${name}: nothing to reset.\n`);
    return;
  }
  // Before asking, so that nobody says yes to resetting the ledger of a running shop.
  const unlock = lockLedger(ledgerFile);
  try {
    if (!values.yes && !(await isConfirmed(name))) {
      process.stdout.write('Nothing was changed.\n');
      process.exitCode = 1;
      return;
    }
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${ledgerFile}${suffix}`, { force: true });
    process.stdout.write(`${name} is deleted. The next start makes a new one with demo events.\n`);
  } finally {
    unlock();
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
