// The doors of who buys: a session for whoever has no account, who I am, and what I have.
import { eventsInput, noInput } from '../../contract/schemas.ts';
import { sessionInput } from '../../contract/who.ts';
import { newSession } from '../../sales/access/who.ts';
import { ordersOfBuyer } from '../../sales/ordering/my-tickets.ts';
import type { Shop } from '../../sales/shop.ts';
import type { Cors } from '../lane/cors.ts';
import { isForeign, SESSION_COOKIE } from '../lane/credentials.ts';
import { type Ask, type Operation, operation } from '../lane/operation.ts';
import { nextCursor, readIdCursor, refuseCursor } from '../lane/page.ts';
import { problem } from '../lane/problem.ts';
import { orderBody } from './orders.ts';

const NO_STORE = { 'Cache-Control': 'no-store' };

export function sessionOperations(shop: Shop, cors: Cors | undefined): Operation[] {
  return [
    operation({
      name: 'start-session',
      method: 'POST',
      path: '/api/v1/sessions',
      input: sessionInput,
      run(ask) {
        const { buyer, token, expiresAtMs } = newSession(shop);
        const maxAgeS = Math.floor((expiresAtMs - shop.ledger.nowMs()) / 1_000);
        // A page of another site must not take the buyer's own session away.
        const cookie = isForeign((name) => ask.header(name), cors)
          ? {}
          : { 'Set-Cookie': sessionCookie(token, maxAgeS, isSecure(ask)) };
        return {
          status: 201,
          body: { buyer, token, expiresAt: new Date(expiresAtMs).toISOString() },
          headers: { ...NO_STORE, ...cookie },
        };
      },
    }),
    operation({
      name: 'who-am-i',
      method: 'GET',
      path: '/api/v1/me',
      input: noInput,
      run: ({ who }) => ({ status: 200, body: who, headers: NO_STORE }),
    }),
    operation({
      name: 'my-tickets',
      method: 'GET',
      path: '/api/v1/me/tickets',
      input: eventsInput,
      async run({ input, requestId, who }) {
        if (who.kind === 'nobody') {
          const headers = { 'WWW-Authenticate': 'Bearer' };
          return problem('UNAUTHENTICATED', requestId, { detail: NOBODYS, headers });
        }
        if (who.kind === 'staff') return problem('FORBIDDEN', requestId, { detail: STAFFS });
        const before = readIdCursor(input.query.cursor);
        if (before === null) return refuseCursor(requestId);
        const { limit } = input.query;
        const orders = await ordersOfBuyer(shop, who.buyer, before, limit);
        const body = {
          orders: orders.map(orderBody),
          ...nextCursor(orders.length, limit, orders.at(-1)?.orderId),
        };
        return { status: 200, body, headers: NO_STORE };
      },
    }),
  ];
}

const NOBODYS =
  'Send the token of a session (POST /api/v1/sessions) or of your account: a guest has no list.';
const STAFFS = 'Staff have no tickets of their own: orders are listed by event.';

function sessionCookie(token: string, maxAgeS: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${SESSION_COOKIE}=${token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${maxAgeS}${secure}`;
}

/** Whether the browser came by https, as far as it or a proxy says. Whoever lies harms only the own cookie. */
function isSecure(ask: Ask<unknown>): boolean {
  const proxied = ask.header('x-forwarded-proto')?.split(',', 1)[0]?.trim();
  if (proxied !== undefined) return proxied === 'https';
  return (
    /\bproto="?https\b/i.test(ask.header('forwarded') ?? '') || /^https:/.test(ask.header('origin') ?? '')
  );
}
