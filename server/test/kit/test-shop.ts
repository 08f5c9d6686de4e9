// A shop in this process for the tests of its doors: the real program on a free port of the loopback, with a real
// ledger in a folder of its own. Nothing in it is a stand-in; only the log is silent.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventDefinition } from '@floodgate/core/event/event.ts';
import type { EventId, TicketTypeId } from '@floodgate/core/ids.ts';
import { readConfig } from '../../src/config.ts';
import { type OpenShop, openShop, type ShopParts } from '../../src/main.ts';
import { audit, createEvent } from '../../src/sales/organizing/create-event.ts';
import { createLog, type Log } from '../../src/telemetry/logs.ts';
import { AnswerWatch, type Reply, whyNot } from './answers.ts';
import { API_KEY, JWT_SECRET } from './server-process.ts';

export type { Reply } from './answers.ts';

export interface Asking {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, as JSON unless `headers` say otherwise. */
  readonly bytes?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The Idempotency-Key. */
  readonly key?: string;
  /** With the admin key. */
  readonly asStaff?: boolean;
}

/** By hold. */
const holdSecrets = new Map<string, string>();

/**
 * One request by fetch. Rejects when no answer comes. Like a page that took a hold, it keeps the secret it was told and
 * sends it along with what it asks of the hold; an empty Hold-Secret among `headers` asks without.
 */
export async function ask(
  port: number,
  method: string,
  path: string,
  { body, bytes, headers, key, asStaff }: Asking = {},
): Promise<Reply> {
  const sent = new Headers(headers);
  const [, holdId = ''] = /^\/api\/v1\/holds\/(\d+)/.exec(path) ?? [];
  const known = holdSecrets.get(holdId);
  if (known !== undefined && !sent.has('hold-secret')) sent.set('hold-secret', known);
  const content = bytes ?? (body === undefined ? undefined : JSON.stringify(body));
  if (content !== undefined && !sent.has('content-type')) sent.set('content-type', 'application/json');
  if (key !== undefined) sent.set('idempotency-key', key);
  if (asStaff) sent.set('authorization', `Bearer ${API_KEY}`);
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: sent,
    ...(content === undefined ? {} : { body: content }),
  });
  const text = await reply.text();
  const { status } = reply;
  const contentType = reply.headers.get('content-type') ?? undefined;
  assert.equal(whyNot({ method, target: path, status, contentType, text }), undefined);
  const isJson = /json/.test(reply.headers.get('content-type') ?? '') && text !== '';
  const answer = isJson ? JSON.parse(text) : undefined;
  rememberSecret(answer);
  return { status: reply.status, headers: reply.headers, text, body: answer };
}

function rememberSecret(answer: Readonly<Record<string, string>> | undefined): void {
  const { holdId, secret, reservationId, holdSecret } = answer ?? {};
  if (holdId && secret) holdSecrets.set(holdId, secret);
  if (reservationId && holdSecret) holdSecrets.set(reservationId, holdSecret);
}

export interface TestShop extends OpenShop {
  readonly ask: (method: string, path: string, asking?: Asking) => Promise<Reply>;
  /** All that the ledger and the inventory hold: equal before and after means that nothing changed. */
  readonly everything: () => Promise<{ readonly events: unknown; readonly keptKeys: number }>;
}

export interface TestShopOptions {
  /** Over PORT 0, event `1` with 100 tickets, and a ledger in a temporary folder. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Made after the demo events. */
  readonly events?: readonly EventDefinition[];
  readonly parts?: ShopParts;
  /** Instead of none. */
  readonly log?: Log;
}

/** Opens a shop; `close` also removes its folder. */
export async function openTestShop(options: TestShopOptions = {}): Promise<TestShop> {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-doors-'));
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: `sqlite:${join(folder, 'floodgate.db')}`,
    API_KEY,
    JWT_SECRET,
    SEED_EVENTS: '1',
    SEED_TICKETS: '100',
    ...options.settings,
  });
  const shop = await openShop(config, options.log ?? createLog('silent'), options.parts);
  const watch = new AnswerWatch(shop.server);
  for (const event of options.events ?? []) await createEvent(shop.inside, event);
  return {
    ...shop,
    async ask(method, path, asking) {
      const reply = await ask(shop.port, method, path, asking);
      watch.assertDeclared();
      return reply;
    },
    everything: () => everything(shop),
    async close() {
      await shop.close();
      watch.assertDeclared();
      rmSync(folder, { recursive: true });
    },
  };
}

async function everything({ inside }: OpenShop) {
  const events = inside.catalogue.all().map(async ({ event }) => {
    const journal = await inside.ledger.journal(event.eventId, 0, 100_000);
    return { event, journal, audit: await audit(inside, event.eventId) };
  });
  return { events: await Promise.all(events), keptKeys: await inside.ledger.keptKeys() };
}

/** An event on sale. `prices` are in cents; types without one are free. */
export function eventOf(
  eventId: string,
  capacities: Readonly<Record<string, number>>,
  prices: Readonly<Record<string, number>> = {},
): EventDefinition {
  return {
    eventId: eventId as EventId,
    name: `Event ${eventId}`,
    venue: { name: 'Test Hall' },
    startsAt: '2027-01-01T19:00:00.000Z',
    timeZone: 'Etc/UTC',
    status: 'open',
    ticketTypes: Object.entries(capacities).map(([name, capacity]) => ({
      ticketTypeId: name as TicketTypeId,
      name,
      price: prices[name] ?? 0,
      currency: 'EUR',
      capacity,
    })),
  };
}
