// How the tests' clients reach the real server: requests on the wire, with or without HTTP machinery, and the
// staff's reads from which the checker gets the ledger.

import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import type { Fact, FinalEvent, FinalLedger, FinalOrder, FinalType } from './checker/final-ledger.ts';
import { type Request, readAnswer } from './checker/history.ts';
import { Connection, type WireRequest } from './connection.ts';
import { API_KEY } from './server-process.ts';
import type { Reply } from './workload.ts';

/** An answer that takes longer counts as none. */
/** A COMMIT that got no answer is looked up for eleven seconds and a half before its buyer is told. */
const TIMEOUT_MS = patienceMs(12_000);
/** Of looks at an event that comes to rest. */
const PAUSE_MS = 50;
const MAX_LOOKS = patienceMs(1_000) / PAUSE_MS;
const PAGE = 1_000;

/** A shop that is busy says 503: the buyer comes again under the same key, until it is decided or the time is over. */
export async function untilTold<Told extends { readonly status: number }>(
  ask: () => Promise<Told>,
  withinMs: number,
): Promise<Told> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const told = await ask();
    if (told.status !== 503 || performance.now() > deadlineMs) return told;
    await sleep(AGAIN_MS);
  }
}

const AGAIN_MS = 100;

/** A request in the API's terms. */
export function wireOf({ kind, eventId, opId, keyed, holdId, secret, body }: Request): WireRequest {
  const headers = {
    ...(keyed ? { 'Idempotency-Key': opId } : {}),
    ...(secret === undefined ? {} : { 'Hold-Secret': secret }),
    ...(body === '' ? {} : { 'Content-Type': 'application/json' }),
  };
  switch (kind) {
    case 'buy':
      return { method: 'POST', path: `/buy/${eventId}`, headers, body };
    case 'purchase':
      return { method: 'POST', path: '/api/v1/purchase', headers, body };
    case 'hold':
      return { method: 'POST', path: `/api/v1/events/${eventId}/holds`, headers, body };
    case 'flash':
      return { method: 'POST', path: '/api/v1/flash/purchase', headers, body };
    case 'confirm':
      return { method: 'POST', path: `/api/v1/holds/${holdId}/confirm`, headers, body };
    case 'release':
      return { method: 'DELETE', path: `/api/v1/holds/${holdId}`, headers, body };
    case 'extend':
      return { method: 'POST', path: `/api/v1/holds/${holdId}/extend`, headers, body };
  }
}

/** Sends over Node's own HTTP client, to a server whose port may change when it is started again. */
export class HttpClient {
  readonly #server: { readonly port: number };
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  constructor(server: { readonly port: number }) {
    this.#server = server;
  }

  /** Rejects when the whole answer has not come in time. */
  send({ method, path, headers, body }: WireRequest): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const length = { 'Content-Length': Buffer.byteLength(body) };
      const to = { host: '127.0.0.1', port: this.#server.port, method, path };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const req = httpRequest({ ...to, headers: { ...headers, ...length }, agent: this.#agent, signal });
      req.on('error', reject);
      req.on('response', (res) => {
        const pieces: Buffer[] = [];
        res.on('data', (piece: Buffer) => pieces.push(piece));
        res.on('error', reject);
        res.on('end', () => resolve({ status: res.statusCode!, body: Buffer.concat(pieces).toString() }));
      });
      req.end(body);
    });
  }

  /** Reads as staff. Rejects on anything but 200. */
  async read<T>(path: string): Promise<T> {
    const headers = { Authorization: `Bearer ${API_KEY}` };
    const { status, body } = await this.send({ method: 'GET', path, headers, body: '' });
    if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${body}`);
    return JSON.parse(body) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Opens that many connections. Resolves when all of them stand. */
export function openConnections(port: number, count: number): Promise<Connection[]> {
  requireOpenFiles(count + 200);
  return Promise.all(Array.from({ length: count }, () => Connection.open(port, TIMEOUT_MS)));
}

/** A connection is an open file, in this process and in the server's, which inherits the limit. */
function requireOpenFiles(count: number): void {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } };
  };
  const limit = userLimits?.open_files?.soft ?? 'unlimited';
  if (limit !== 'unlimited' && limit < count) {
    throw new Error(
      `this test needs ${count} open files, the limit is ${limit}: raise it with ulimit -n ${count}`,
    );
  }
}

interface JournalPage {
  readonly entries: readonly (Fact & { readonly buyer?: string | null })[];
}
interface OrderPage {
  readonly orders: readonly unknown[];
  readonly nextCursor?: string;
}
interface Availability {
  readonly ticketTypes: readonly (FinalType &
    FinalType['counts'] & {
      readonly pending: number;
      readonly allocated?: number;
      readonly killed?: number;
    })[];
}
export interface Audit {
  readonly ok: boolean;
  readonly checks: readonly { readonly rule: string; readonly ok: boolean; readonly detail: string }[];
}

/** The ledger as staff can read it over the API, each event at a moment when nothing moves. No client may be active. */
export function readLedger(client: HttpClient, eventIds: readonly string[]): Promise<FinalLedger> {
  return Promise.all(eventIds.map((eventId) => readEvent(client, eventId)));
}

/** Holds expire by themselves, so counts and journal belong together only when neither changed between two looks. */
async function readEvent(client: HttpClient, eventId: string): Promise<FinalEvent> {
  const path = `/api/v1/events/${eventId}`;
  for (let tries = 0; tries < MAX_LOOKS; tries++) {
    const types = await readTypes(client, eventId);
    const journal = await readJournal(client, path, 0);
    const orders = await readOrders(client, path);
    const isStill = isDeepStrictEqual(await readTypes(client, eventId), types);
    const news = await readJournal(client, path, journal.at(-1)?.seq ?? 0);
    if (isStill && news.length === 0) {
      return { eventId, types: withWithdrawn(types, journal), journal, orders };
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`event ${eventId} does not come to rest`);
}

/**
 * What staff withdrew is no part of the capacity shown, but has its ticket numbers. Of an event with several types
 * nobody says here of which type it was, so there nothing may be withdrawn.
 */
function withWithdrawn(types: readonly FinalType[], journal: readonly Fact[]): readonly FinalType[] {
  const numbers = journal.findLast((fact) => fact.capacity !== undefined)?.capacity;
  const [only] = types;
  if (numbers === undefined || only === undefined || types.length > 1) return types;
  const { counts, capacity } = only;
  if (numbers === capacity) return types;
  const aside = (counts.aside ?? 0) + numbers - capacity;
  return [{ ...only, capacity: numbers, counts: { ...counts, aside } }];
}

async function readJournal(client: HttpClient, path: string, afterSeq: number): Promise<Fact[]> {
  const journal: Fact[] = [];
  for (;;) {
    const after = journal.at(-1)?.seq ?? afterSeq;
    const { entries } = await client.read<JournalPage>(`${path}/journal?after=${after}&limit=${PAGE}`);
    for (const { buyer, ...fact } of entries) journal.push({ ...fact, buyer: buyer ?? undefined });
    if (entries.length < PAGE) return journal;
  }
}

async function readOrders(client: HttpClient, path: string): Promise<FinalOrder[]> {
  const orders: FinalOrder[] = [];
  for (let cursor = ''; ; ) {
    const page = await client.read<OrderPage>(`${path}/orders?limit=${PAGE}${cursor}`);
    for (const order of page.orders) {
      const { orderId, ledgerSeq, tickets, total } = readAnswer(JSON.stringify(order));
      orders.push({ orderId: orderId ?? '', seq: ledgerSeq ?? 0, tickets: tickets ?? [], total });
    }
    if (page.nextCursor === undefined) return orders;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** The counts shown, once no sale is in flight any more. */
export async function readTypes(client: HttpClient, eventId: string): Promise<FinalType[]> {
  for (let tries = 0; tries < MAX_LOOKS; tries++) {
    const { ticketTypes } = await client.read<Availability>(`/api/v1/events/${eventId}/availability`);
    if (ticketTypes.every(({ pending }) => pending === 0)) {
      return ticketTypes.map((type) => {
        const { ticketType, capacity, available, held, sold, allocated = 0, killed = 0 } = type;
        const aside = allocated + killed;
        return { ticketType, capacity, counts: { available, held, sold, ...(aside > 0 ? { aside } : {}) } };
      });
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`event ${eventId} has tickets that stay in flight`);
}

/** The server's own audit, in words when it is not content. */
export async function auditComplaints(client: HttpClient, eventIds: readonly string[]): Promise<string[]> {
  const complaints: string[] = [];
  for (const eventId of eventIds) {
    const { checks } = await client.read<Audit>(`/api/v1/events/${eventId}/audit`);
    for (const { rule, ok, detail } of checks)
      if (!ok) complaints.push(`event ${eventId}: ${rule}: ${detail}`);
  }
  return complaints;
}
