// Reconciliation on memory twins: every way in which inventory and ledger can come apart is repaired, once, and what
// is only under way is left alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ticket } from '@floodgate/core/ids.ts';
import fc from 'fast-check';
import { FaultyLedger, HOLD_TTL_MS, MemoryShop } from '../../../test/kit/memory-shop.ts';
import { AVAILABLE, HELD, PENDING, SOLD, type State } from '../../inventory/inventory.ts';
import { FREE } from '../../ledger/contract/test-entries.ts';
import type { ClaimSnapshot } from '../../ledger/ledger.ts';
import { buy } from '../buying/buy.ts';
import { hold } from '../buying/hold.ts';
import { audit } from '../organizing/create-event.ts';
import { Reconciliation } from './reconcile.ts';

const CAPACITY = 6;
const STATES = [AVAILABLE, PENDING, HELD, SOLD] as const;

/** A shop with ticket 0 sold, ticket 1 held, the others free. */
async function openShop(Ledger = FaultyLedger): Promise<MemoryShop> {
  const shop = await MemoryShop.open(CAPACITY, { Ledger });
  const command = { eventId: shop.event.eventId, buyer: 'ann' };
  await buy(shop.inside, { ...command, quantity: 1 });
  await hold(shop.inside, { ...command, lines: [{ ticketType: 'ga', quantity: 1 }] });
  return shop;
}

/** Puts the tickets of the inventory into these states, whatever the ledger says. */
async function disturb({ inside, event }: MemoryShop, states: readonly State[]): Promise<void> {
  const now = (await inside.inventory.states(event.eventId))!;
  const repairs = states.map((to, ticket) => ({ ticket: ticket as Ticket, from: now[ticket] as State, to }));
  await inside.inventory.repair(
    event.eventId,
    repairs.filter(({ from, to }) => from !== to),
  );
}

async function assertAgreement({ inside, event }: MemoryShop): Promise<void> {
  const states = [...(await inside.inventory.states(event.eventId))!];
  assert.deepEqual(states, [SOLD, HELD, AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE]);
  const audited = await audit(inside, event.eventId);
  assert.ok('ok' in audited && audited.ok, JSON.stringify(audited));
}

describe('reconciliation', () => {
  test('[C4] any drift is repaired by the second look, and counted', async () => {
    const drift = fc.tuple(...Array.from({ length: CAPACITY }, () => fc.constantFrom(...STATES)));
    await fc.assert(
      fc.asyncProperty(drift, async (states) => {
        const shop = await openShop();
        const right = [...(await shop.inside.inventory.states(shop.event.eventId))!];
        await disturb(shop, states);
        const reconciliation = new Reconciliation(shop.inside, 1);
        assert.deepEqual(await reconciliation.look(), []);
        const drifts = await reconciliation.look();
        const repaired = drifts.flatMap((drift) => Object.values(drift.repaired)).reduce((a, b) => a + b, 0);
        const wrong = states.filter((state, ticket) => state !== right[ticket]).length;
        assert.equal(repaired, wrong);
        await assertAgreement(shop);
        assert.deepEqual(await reconciliation.look(), []);
      }),
      { numRuns: 200 },
    );
  });

  test('[C4] what is under way is left alone: a take and its settling between the looks', async () => {
    const shop = await openShop();
    const { inventory } = shop.inside;
    const { eventId } = shop.event;
    const reconciliation = new Reconciliation(shop.inside);
    for (let round = 0; round < 3; round++) {
      const taken = await inventory.take(eventId, [
        { ticketType: shop.event.ticketTypes[0]!.ticketTypeId, quantity: 1 },
      ]);
      assert.deepEqual(await reconciliation.look(), []);
      inventory.giveBack(eventId, 'tickets' in taken ? taken.tickets : []);
      assert.deepEqual(await reconciliation.look(), []);
    }
    await assertAgreement(shop);
  });

  test('[S9] the take of a process that died is given back, and one that was committed is sold', async () => {
    const shop = await openShop();
    const { inventory, ledger } = shop.inside;
    const { eventId, ticketTypes } = shop.event;
    const [{ ticketTypeId: ticketType }] = ticketTypes as [(typeof ticketTypes)[0]];
    const died = await inventory.take(eventId, [{ ticketType, quantity: 2 }]);
    const [lost, kept] = 'tickets' in died ? died.tickets : [];
    const order = { orderId: shop.inside.newId() as never, secret: 's', buyer: null };
    await ledger.post({ kind: 'buy', eventId, ...order, tickets: [kept!], price: FREE });
    const reconciliation = new Reconciliation(shop.inside);
    await reconciliation.look();
    const [drift] = await reconciliation.look();
    assert.deepEqual(drift?.repaired, { 'pending → available': 1, 'pending → sold': 1 });
    const states = (await inventory.states(eventId))!;
    assert.deepEqual([states[lost!], states[kept!]], [AVAILABLE, SOLD]);
  });

  test('[C4] a hold that ended after the look is not held again', async () => {
    class Late extends FaultyLedger {
      snapshot: ClaimSnapshot | undefined;

      override async claims(eventId: Parameters<FaultyLedger['claims']>[0]): Promise<ClaimSnapshot> {
        return this.snapshot ?? super.claims(eventId);
      }
    }
    const shop = await openShop(Late);
    (shop.ledger as Late).snapshot = await shop.ledger.claims(shop.event.eventId);
    const reconciliation = new Reconciliation(shop.inside);
    await disturb(shop, [SOLD, AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE, AVAILABLE]);
    await reconciliation.look();
    shop.clock.pass(HOLD_TTL_MS);
    const [due] = await shop.ledger.dueHolds(shop.clock.nowMs(), 1);
    await shop.ledger.post({ kind: 'expire', ...due! });
    assert.deepEqual(await reconciliation.look(), [], 'the ledger is asked again about the very tickets');
    assert.equal((await shop.inside.inventory.states(shop.event.eventId))![1], AVAILABLE);
  });
});
