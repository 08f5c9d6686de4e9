// npm run seed -- --events 3 --tickets 1000: makes demo events 1 … n that are not there yet (row A1).
import { parseArgs } from 'node:util';
import { BadConfig, readConfig } from '../config.ts';
import { explainAndExit, openInside } from '../main.ts';
import { createLog } from '../telemetry/logs.ts';
import { seedEvents } from './demo-events.ts';

async function seed(): Promise<void> {
  const { values } = parseArgs({ options: { events: { type: 'string' }, tickets: { type: 'string' } } });
  const config = readConfig({
    ...process.env,
    // Seeding needs no secret, so that it works before the shop is configured for production.
    NODE_ENV: 'development',
    ...(values.events === undefined ? {} : { SEED_EVENTS: values.events }),
    ...(values.tickets === undefined ? {} : { SEED_TICKETS: values.tickets }),
  });
  const { shop, stores } = await openInside(config, createLog('error'));
  const made = await seedEvents(shop, config.seedEvents, config.seedTickets);
  await stores.close();
  const kept = config.seedEvents - made.length;
  const known = kept === 0 ? '' : ` ${kept} of them were there already and stay as they are.`;
  process.stdout.write(
    `${made.length} event(s) made with ${config.seedTickets} tickets each: ${summary(made)}.${known}\n`,
  );
}

function summary(ids: readonly string[]): string {
  if (ids.length === 0) return 'none';
  return ids.length <= 10 ? ids.join(', ') : `${ids[0]} … ${ids.at(-1)}`;
}

await seed().catch((error: unknown) => {
  const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  explainAndExit(isUsage ? new BadConfig('usage: npm run seed -- --events 3 --tickets 1000') : error);
});
