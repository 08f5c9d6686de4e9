// A refusal as it is told and as the ledger keeps it under a key: the same, but that the ledger knows seats by their ticket
// numbers.
import type { Refusal } from '@floodgate/core/refusal.ts';
import type { TicketLayout } from '@floodgate/core/seating/layout.ts';
import type { RefusalWithDetail } from '../ledger/ledger.ts';

export function keptRefusal(layout: TicketLayout, told: Refusal): RefusalWithDetail {
  const { refusal, onSaleAtMs, perOrder, remaining, nextExpiryAtMs } = told;
  switch (refusal) {
    case 'NOT_ON_SALE':
      return { refusal, detail: { onSaleAtMs } };
    case 'BELOW_MINIMUM':
    case 'LIMIT_REACHED':
      return { refusal, detail: { perOrder } };
    case 'SEAT_TAKEN': {
      const seats = told.seats?.flatMap(
        ({ section, row, seat }) => layout.seatNamed(section, row, seat) ?? [],
      );
      return { refusal, detail: { seats } };
    }
    case 'ALL_HELD':
      return { refusal, detail: { remaining, nextExpiryAtMs } };
    case 'SOLD_OUT':
    case 'NO_SEATS_TOGETHER':
      return { refusal, detail: { remaining } };
    default:
      return { refusal };
  }
}

export function toldRefusal(layout: TicketLayout, kept: RefusalWithDetail): Refusal {
  if (kept.refusal !== 'SEAT_TAKEN') return { refusal: kept.refusal, ...kept.detail };
  const seats = kept.detail?.seats?.flatMap((ticket) => layout.seatOf(ticket) ?? []);
  return { refusal: 'SEAT_TAKEN', seats };
}
