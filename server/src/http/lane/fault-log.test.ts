// What an operator reads about a request that was answered 503: an impatient shop is not a failing ledger.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EventId, TicketTypeId } from '@floodgate/core/ids.ts';
import { pino } from 'pino';
import { readProblem } from '../../../test/kit/answers.ts';
import { FaultyLedger } from '../../../test/kit/memory-shop.ts';
import { openTestShop } from '../../../test/kit/test-shop.ts';
import { TestClock } from '../../ledger/contract/test-entries.ts';
import type { Log } from '../../telemetry/logs.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly type: string; readonly message: string };
}

function gatheringLog(): { readonly log: Log; readonly faults: () => [string, string, string][] } {
  const lines: Line[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return {
    log: { logger, isTerminal: false, answer() {}, async flush() {} },
    faults: () => lines.map(({ msg, err }) => [msg, err!.type, err!.message]),
  };
}

describe('the log of faults', { concurrency: 2 }, () => {
  test('[A7] a request that gave up waiting is not told as a fault of the ledger', async (t) => {
    const { log, faults } = gatheringLog();
    const shop = await openTestShop({ settings: { SEED_TICKETS: '1' }, log });
    t.after(() => shop.close());
    const want = { ticketType: 'ga' as TicketTypeId, quantity: 1 };
    const taken = await shop.inside.inventory.take('1' as EventId, [want]);
    assert.ok('tickets' in taken);
    readProblem(await shop.ask('POST', '/buy/1'), 503, 'UNAVAILABLE');
    assert.deepEqual(faults(), [
      [
        'an operation gave up, because others were faster or took too long',
        'Busy',
        'sales under way are not decided yet',
      ],
    ]);
  });

  test('[A7] control: a ledger that cannot commit is told as one', async (t) => {
    const { log, faults } = gatheringLog();
    const ledger = new FaultyLedger(new TestClock());
    const shop = await openTestShop({ log, parts: { ledger } });
    t.after(() => shop.close());
    ledger.fault = 'refused';
    readProblem(await shop.ask('POST', '/buy/1'), 503, 'UNAVAILABLE');
    assert.deepEqual(faults(), [['the ledger could not commit', 'LedgerUnavailable', 'the disk is full']]);
  });
});
