// A process that buys from an event in Redis until it is sold out, or each buyer has bought so often, and then prints
// what it got as one line of JSON. It says "ready" first, and begins when it is told to by anything on its input:
// node redis-buyer.ts <url> <errand as JSON>
import { once } from 'node:events';
import type { EventId, Ticket } from '@floodgate/core/ids.ts';
import { script } from '../../src/drivers/redis/script.ts';
import { eventOf, houseOf } from '../../src/inventory/contract/test-events.ts';
import type { Want } from '../../src/inventory/inventory.ts';
import { RedisInventory } from '../../src/inventory/redis/redis-inventory.ts';
import { SCRIPTS } from '../../src/inventory/redis/scripts.ts';

export interface Errand {
  readonly eventId: EventId;
  /** Tickets without seats, or rows of seats in one section. */
  readonly sold: number | readonly string[];
  readonly buyers: number;
  /** How often each buys. */
  readonly times: number;
  readonly wants: readonly Want[];
  /** False is the control: tickets are taken without being marked as taken. */
  readonly isGuarded: boolean;
}

const [, , url = '', json = ''] = process.argv;
const { eventId, sold, buyers, times, wants, isGuarded } = JSON.parse(json) as Errand;
const house = typeof sold === 'number' ? eventOf({ ga: sold }) : houseOf({ Stalls: sold });

const unguarded = (name: 'take' | 'take-seats') => script(SCRIPTS[name].text.replaceAll(/^.*-- S1$/gm, ''));
const inventory = await RedisInventory.connect(url, {
  deadlineMs: 10_000,
  ...(!isGuarded && { scripts: { take: unguarded('take'), 'take-seats': unguarded('take-seats') } }),
});
const nothing = { seq: 0, held: new Uint32Array(0), sold: new Uint32Array(0) };
await inventory.open({ ...house, eventId }, async () => nothing);

console.log('ready');
await once(process.stdin, 'data');
process.stdin.destroy();

const tickets: Ticket[] = [];
await Promise.all(Array.from({ length: buyers }, buy));
console.log(JSON.stringify(tickets));
await inventory.close();

async function buy(): Promise<void> {
  let bought = 0;
  while (bought < times) {
    const result = await inventory.take(eventId, wants);
    if ('tickets' in result) {
      bought++;
      tickets.push(...result.tickets);
      inventory.settle(eventId, result.tickets, 'sold');
    } else if (result.refusal === 'PENDING') await inventory.nextChange(eventId, 1_000);
    else return;
  }
}
