// What is kept under an idempotency key, as the judge answers it again. Earlier releases wrote whatever an answer said
// beside its code as one number `note` and a list `seats`; such rows are answered for ever with the words of their day.
import { MAX_EVENT_CAPACITY } from '@floodgate/core/event/event.ts';
import type { Ticket } from '@floodgate/core/ids.ts';
import type { CommittedBuy, Outcome, RefusalWithDetail } from './ledger.ts';

/** A row's `outcome`, by this release or an earlier one. */
export function keptOutcome(text: string): Outcome {
  const row = JSON.parse(text) as Outcome & Note;
  return row.note === undefined && row.seats === undefined ? row : ofEarlierRelease(row);
}

interface Note {
  readonly note?: number;
  readonly seats?: readonly Ticket[];
}

function ofEarlierRelease({ note, seats, ...outcome }: Outcome & Note): Outcome {
  // Only purchases noted something when they were committed: how many tickets were left.
  if (outcome.status === 'committed') return { ...(outcome as CommittedBuy), remaining: note };
  return { status: 'refused', ...withDetail(outcome, note, seats) };
}

function withDetail(
  { refusal }: RefusalWithDetail,
  note: number | undefined,
  seats: readonly Ticket[] | undefined,
): RefusalWithDetail {
  switch (refusal) {
    case 'NOT_ON_SALE':
      return { refusal, detail: { onSaleAtMs: note } };
    case 'BELOW_MINIMUM':
    case 'LIMIT_REACHED':
      return { refusal, detail: { perOrder: note } };
    case 'SEAT_TAKEN':
      return { refusal, detail: { seats } };
    case 'ALL_HELD':
      // A number of tickets and a time of this century are of different sizes.
      return {
        refusal,
        detail:
          note !== undefined && note > MAX_EVENT_CAPACITY ? { nextExpiryAtMs: note } : { remaining: note },
      };
    case 'SOLD_OUT':
    case 'NO_SEATS_TOGETHER':
      return { refusal, detail: { remaining: note } };
    default:
      // No other refusal had anything to say.
      return { refusal };
  }
}
