// The layout gives every ticket number one type and one label, and every type its numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Block, MAX_EVENT_CAPACITY, type TicketType } from './event.ts';
import { type Ticket, ticketTypeId } from './ids.ts';
import { TicketLayout } from './layout.ts';

function typeOf(id: string, capacity: number, price = 0, currency = 'EUR'): TicketType {
  return { ticketTypeId: ticketTypeId(id)!, name: id, price, currency, capacity };
}

function block(id: string, count: number): Block {
  return { ticketType: ticketTypeId(id)!, count };
}

function ticketsOf(layout: TicketLayout): Ticket[] {
  return Array.from({ length: layout.capacity }, (_, ticket) => ticket as Ticket);
}

const TYPES = ['ga', 'vip', 'balcony'].map((id, index) => typeOf(id, 1, index * 100));

/** Blocks of the three types; a type may have several, as it does when its capacity has grown. */
const anyBlocks: fc.Arbitrary<Block[]> = fc.array(
  fc.record({ ticketType: fc.constantFrom(...TYPES.map((type) => type.ticketTypeId)), count: fc.nat(30) }),
  { maxLength: 6 },
);

test('[S2] the ranges of the types are a partition of 0 … capacity-1, and agree with typeOf and viewOf', () => {
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const layout = new TicketLayout({ ticketTypes: TYPES, blocks });
      const typeByTicket = new Map<number, string>();
      for (const { ticketTypeId: id } of TYPES) {
        for (const [first, end] of layout.rangesOf(id)) {
          for (let ticket = first; ticket < end; ticket++) {
            assert.ok(!typeByTicket.has(ticket), `${ticket} lies in two ranges`);
            typeByTicket.set(ticket, id);
          }
        }
      }
      const tickets = ticketsOf(layout);
      assert.equal(
        layout.capacity,
        blocks.reduce((sum, { count }) => sum + count, 0),
      );
      assert.equal(typeByTicket.size, layout.capacity);
      for (const ticket of tickets) {
        assert.equal(layout.typeOf(ticket).ticketTypeId, typeByTicket.get(ticket));
        assert.equal(layout.viewOf(ticket).ticketType, typeByTicket.get(ticket));
      }
    }),
  );
});

test('[S1] no two tickets of an event have the same id or the same label', () => {
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const layout = new TicketLayout({ ticketTypes: TYPES, blocks });
      const views = ticketsOf(layout).map((ticket) => layout.viewOf(ticket));
      assert.equal(new Set(views.map(({ ticketId }) => ticketId)).size, views.length);
      assert.equal(new Set(views.map(({ label }) => label)).size, views.length);
    }),
  );
});

test('[E2] tickets are numbered inside their type, and a later block goes on where the type stopped', () => {
  const layout = new TicketLayout({
    ticketTypes: [typeOf('ga', 4), typeOf('none', 0), typeOf('vip', 1)],
    blocks: [block('ga', 2), block('none', 0), block('vip', 1), block('ga', 2)],
  });
  assert.deepEqual(
    ticketsOf(layout).map((ticket) => layout.viewOf(ticket)),
    [
      { ticketId: '0', ticketType: 'ga', label: 'GA-1' },
      { ticketId: '1', ticketType: 'ga', label: 'GA-2' },
      { ticketId: '2', ticketType: 'vip', label: 'VIP-1' },
      { ticketId: '3', ticketType: 'ga', label: 'GA-3' },
      { ticketId: '4', ticketType: 'ga', label: 'GA-4' },
    ],
  );
  assert.deepEqual(layout.rangesOf(ticketTypeId('ga')!), [
    [0, 2],
    [3, 5],
  ]);
});

test('[E2] a type without tickets has an empty range, an unknown type none, an event without types no tickets', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('none', 0), typeOf('ga', 1)] });
  assert.deepEqual(layout.rangesOf(ticketTypeId('none')!), [[0, 0]]);
  assert.deepEqual(layout.rangesOf(ticketTypeId('vip')!), []);
  const empty = new TicketLayout({ ticketTypes: [] });
  assert.equal(empty.capacity, 0);
  assert.equal(empty.has(0), false);
  assert.deepEqual(empty.totalOf([]), { amount: 0, currency: 'XXX' });
});

test('[E2] a number that is no ticket of the event is known as such, and throws where a ticket is needed', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('ga', 10), typeOf('vip', 5)] });
  assert.ok(layout.has(0) && layout.has(14));
  for (const bad of [-1, 15, 0.5, 2 ** 32, Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.equal(layout.has(bad), false, String(bad));
    assert.throws(() => layout.typeOf(bad as Ticket), /not a ticket of this event/, String(bad));
    assert.throws(() => layout.viewOf(bad as Ticket), /not a ticket of this event/, String(bad));
    assert.throws(() => layout.totalOf([bad as Ticket]), /not a ticket of this event/, String(bad));
  }
});

test('[S10] tickets cost what their types cost together, in one currency', () => {
  const layout = new TicketLayout({ ticketTypes: [typeOf('ga', 2, 1_050), typeOf('vip', 1, 9_900)] });
  assert.deepEqual(layout.totalOf(ticketsOf(layout)), { amount: 12_000, currency: 'EUR' });
  const mixed = new TicketLayout({
    ticketTypes: [typeOf('ga', 1, 100, 'EUR'), typeOf('vip', 1, 100, 'USD')],
  });
  assert.throws(() => mixed.totalOf(ticketsOf(mixed)), /an event has one currency/);
});

test('[E2] a capacity that is no whole number, or too many tickets, throws', () => {
  for (const bad of [-1, 1.5, Number.NaN])
    assert.throws(() => new TicketLayout({ ticketTypes: [typeOf('ga', bad)] }), /capacity of ga/);
  assert.equal(
    new TicketLayout({ ticketTypes: [typeOf('ga', MAX_EVENT_CAPACITY)] }).capacity,
    MAX_EVENT_CAPACITY,
  );
  assert.throws(
    () => new TicketLayout({ ticketTypes: [typeOf('ga', MAX_EVENT_CAPACITY), typeOf('vip', 1)] }),
    /at most 50000000 tickets/,
  );
});
