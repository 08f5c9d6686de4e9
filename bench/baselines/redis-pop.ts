// The design "Redis is the pool": the tickets of an event are a list, each request pops one and answers with it.
// No ticket goes twice, but nothing is kept of who got which: a sale is as lost as Redis' last writes, and as the
// process that popped it. Fast, and not durable.
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';

const { PORT = '0', REDIS_URL = 'redis://127.0.0.1:6379', TICKETS = '10000' } = process.env;
const KEY = 'event:{1}:tickets';
const PUSHED_AT_ONCE = 10_000;

const redis = new Redis(REDIS_URL);
await redis.del(KEY);
for (let first = 1; first <= Number(TICKETS); first += PUSHED_AT_ONCE) {
  const count = Math.min(PUSHED_AT_ONCE, Number(TICKETS) - first + 1);
  await redis.rpush(KEY, ...Array.from({ length: count }, (_, i) => first + i));
}

const app = express();
app.disable('x-powered-by');
app.use(express.json());

app.post('/buy/:event', async (request, response) => {
  const { quantity } = request.body as { quantity?: unknown };
  if (quantity !== 1) {
    response.status(400).json({ error: 'quantity must be 1' });
    return;
  }
  const ticket = await redis.lpop(`event:{${request.params.event}}:tickets`);
  if (ticket === null) response.status(409).json({ error: 'sold out' });
  else response.status(201).json({ orderId: crypto.randomUUID(), ticket: Number(ticket) });
});

const server = app.listen(Number(PORT), '127.0.0.1', 4_096, () => {
  console.log(JSON.stringify({ msg: 'listening', port: (server.address() as AddressInfo).port }));
});
process.on('SIGTERM', () => process.exit(0));
