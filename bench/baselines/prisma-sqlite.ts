// The design "answer now, write later": a counter in memory decides, the buyer is answered at once, the order is
// written afterwards. A crash loses every answered order that still waits. Those who build it use Prisma, which is
// 326 MB with its tools: too much to install for one figure. In its place stands a plain queue over node:sqlite,
// a stronger opponent: with Prisma (7.10, libSQL adapter) this program answered 1,100 to 1,400 requests a second
// where it answers 17,000 to 24,000 with the queue.
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import express from 'express';

const { PORT = '0', DATABASE_FILE = 'baseline.db', TICKETS = '10000' } = process.env;
const WRITTEN_AT_ONCE = 100;

interface Order {
  readonly orderId: string;
  readonly event: number;
  readonly ticket: number;
}

const database = new DatabaseSync(DATABASE_FILE);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
database.exec(`CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, event_id INTEGER NOT NULL, ticket INTEGER NOT NULL, created_at TEXT DEFAULT current_timestamp
)`);
const insert = database.prepare('INSERT INTO orders (id, event_id, ticket) VALUES (?, ?, ?)');

let remaining = Number(TICKETS);
let waiting: Order[] = [];

function writeLater(order: Order): void {
  waiting.push(order);
  if (waiting.length === 1) setImmediate(writeSome);
}

/** As many as an event loop under load can bear between two rounds of requests. */
function writeSome(): void {
  const batch = waiting.slice(0, WRITTEN_AT_ONCE);
  waiting = waiting.slice(WRITTEN_AT_ONCE);
  database.exec('BEGIN');
  for (const { orderId, event, ticket } of batch) insert.run(orderId, event, ticket);
  database.exec('COMMIT');
  if (waiting.length > 0) setImmediate(writeSome);
}

const app = express();
app.disable('x-powered-by');
app.use(express.json());

app.post('/buy/:event', (request, response) => {
  const { quantity } = request.body as { quantity?: unknown };
  if (quantity !== 1) {
    response.status(400).json({ error: 'quantity must be 1' });
    return;
  }
  if (remaining === 0) {
    response.status(409).json({ error: 'sold out' });
    return;
  }
  const order = { orderId: crypto.randomUUID(), event: Number(request.params.event), ticket: remaining };
  remaining -= 1;
  response.status(201).json(order);
  writeLater(order);
});

const server = app.listen(Number(PORT), '127.0.0.1', 4_096, () => {
  console.log(JSON.stringify({ msg: 'listening', port: (server.address() as AddressInfo).port }));
});
process.on('SIGTERM', () => process.exit(0));
