// A process that buys from an event in Redis until it is sold out, or each buyer has bought so often, and then prints
// what it got as one line of JSON. It says "ready" first, and begins when it is told to by anything on its input:
// node redis-buyer.ts <url> <event as JSON> <buyers> <tickets at once> <times> <guarded | unguarded>
import { once } from 'node:events';
import type { EventDefinition } from '@floodgate/core/event.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import { SCRIPTS, script } from '../src/inventory/redis/scripts.ts';
import { RedisInventory } from '../src/inventory/redis-inventory.ts';

const [, , url = '', json = '', buyers = '', quantity = '', times = '', guard = ''] = process.argv;
const event = JSON.parse(json) as EventDefinition;
const wants = [{ ticketType: event.ticketTypes[0]!.ticketTypeId, quantity: Number(quantity) }];

// The control: tickets are taken without being marked as taken.
const unguarded = script(SCRIPTS.take.text.replaceAll(/^.*-- S1$/gm, ''));
const inventory = await RedisInventory.connect(url, {
  deadlineMs: 10_000,
  ...(guard === 'unguarded' && { scripts: { take: unguarded } }),
});
await inventory.open(event, async () => ({ seq: 0, held: new Uint32Array(0), sold: new Uint32Array(0) }));

console.log('ready');
await once(process.stdin, 'data');
process.stdin.destroy();

const tickets: Ticket[] = [];
await Promise.all(Array.from({ length: Number(buyers) }, buy));
console.log(JSON.stringify(tickets));
await inventory.close();

async function buy(): Promise<void> {
  let bought = 0;
  while (bought < Number(times)) {
    const result = await inventory.take(event.eventId, wants);
    if ('tickets' in result) {
      bought++;
      tickets.push(...result.tickets);
      inventory.settle(event.eventId, result.tickets, 'sold');
    } else if (result.refusal === 'PENDING') await inventory.nextChange(event.eventId, 1_000);
    else return;
  }
}
