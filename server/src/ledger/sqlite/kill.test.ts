// The SQLite ledger under SIGKILL: a program that commits without pause is killed at a random moment, again and
// again on the same file. Whatever it acknowledged is there, and of the rest either a whole batch or none of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { subjectOf } from '@floodgate/core/facts.ts';
import { eventId } from '@floodgate/core/ids.ts';
import type { Acknowledged } from '../contract/sell-until-killed.ts';
import type { JournalEntry } from '../ledger.ts';
import { SqliteReader } from './reader.ts';

const ROUNDS = 12;
const EVENT = eventId('kill-test')!;
const PROGRAM = join(import.meta.dirname, '../contract/sell-until-killed.ts');
const KINDS: Record<string, Acknowledged[1]> = {
  bought: 'buy',
  held: 'hold',
  confirmed: 'confirm',
  released: 'release',
  expired: 'expire',
};

/** Runs the program, kills it within 20 ms after its first commit, and returns what it acknowledged, by batch. */
async function sellAndKill(file: string): Promise<Acknowledged[][]> {
  const program = spawn(process.execPath, [PROGRAM, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  program.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(program, 'close');
  await Promise.race([once(program.stdout, 'data'), closed]);
  await sleep(Math.random() * 20);
  program.kill('SIGKILL');
  assert.deepEqual(await closed, [null, 'SIGKILL']);
  // A line that was cut off by the kill was acknowledged to nobody.
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Acknowledged[]);
}

const asAcknowledged = (entry: JournalEntry): Acknowledged => [
  entry.seq,
  KINDS[entry.kind]!,
  subjectOf(entry),
];

test(`[S4] ${ROUNDS} times killed while committing, the ledger has all it acknowledged and only whole batches`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
  const file = join(folder, 'ledger.db');
  let end = 1;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const batches = await sellAndKill(file);
      const reader = new SqliteReader(file);
      for (const { rule, ok, detail } of reader.audit(EVENT)) assert.ok(ok, `${rule}: ${detail}`);
      const journal = reader.journal(EVENT, end, 1_000_000).map(asAcknowledged);
      reader.close();
      const acknowledged = batches.flat();
      assert.ok(acknowledged.length > 0);
      assert.deepEqual(journal.slice(0, acknowledged.length), acknowledged);
      end += acknowledged.length;
      // The batch that the kill cut short has as many entries as the number it began at says, or is not there.
      const rest = journal.length - acknowledged.length;
      assert.ok(rest === 0 || rest === 1 + (end % 7), `${rest} entries of the last batch`);
      end += rest;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
