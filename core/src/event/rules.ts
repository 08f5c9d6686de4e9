// When an event sells, and where staff may take it. What a definition must be like is in event-problems.ts.
//
//   draft ──schedule──▶ scheduled ──(onSaleAt)──▶ open ◀──resume── paused
//     └──────open─────────┴──────────────────────▶  │ ────pause──▶  │
//                                                   └─(endsAt), close ─▶ ended ──open──▶ open
//   any but cancelled ──cancel──▶ cancelled
//
// The clock's two steps are never written down: a reader at that time sees them, the same in every process.

import type { RefusalCode } from '../refusal.ts';
import type { EventDefinition, EventStatus, TicketType } from './event.ts';

export const EVENT_COMMANDS = ['schedule', 'open', 'pause', 'resume', 'close', 'cancel'] as const;
export type EventCommand = (typeof EVENT_COMMANDS)[number];

/** `to`: the event goes there; `same`: it is there already, no effect, answered as success; else refused. */
export type EventStep =
  | { readonly to: EventStatus }
  | { readonly same: true }
  | { readonly refusal: RefusalCode };

const SAME: EventStep = { same: true };
const NO: EventStep = { refusal: 'WRONG_STATUS' };
const OPEN: EventStep = { to: 'open' };
const ENDED: EventStep = { to: 'ended' };
const CANCELLED: EventStep = { to: 'cancelled' };

const STEPS: Record<EventStatus, Record<EventCommand, EventStep>> = {
  draft: {
    schedule: { to: 'scheduled' },
    open: OPEN,
    pause: NO,
    resume: NO,
    close: NO,
    cancel: CANCELLED,
  },
  scheduled: { schedule: SAME, open: OPEN, pause: NO, resume: NO, close: ENDED, cancel: CANCELLED },
  open: { schedule: NO, open: SAME, pause: { to: 'paused' }, resume: SAME, close: ENDED, cancel: CANCELLED },
  paused: { schedule: NO, open: OPEN, pause: SAME, resume: OPEN, close: ENDED, cancel: CANCELLED },
  ended: { schedule: NO, open: OPEN, pause: NO, resume: NO, close: SAME, cancel: CANCELLED },
  cancelled: { schedule: NO, open: NO, pause: NO, resume: NO, close: NO, cancel: SAME },
};

/** What the command does to an event that is in this status now: see {@link statusAt}. */
export function stepEvent(status: EventStatus, command: EventCommand): EventStep {
  return STEPS[status][command];
}

/** The status as it is at that time: the clock opens a scheduled event and ends one that sells. */
export function statusAt(event: EventDefinition, nowMs: number): EventStatus {
  const { status } = event;
  if (status !== 'scheduled' && status !== 'open' && status !== 'paused') return status;
  const { startsMs, endsMs } = timesOf(event, event.onSaleAt, event.endsAt);
  if (nowMs >= endsMs) return 'ended';
  return status === 'scheduled' && nowMs >= startsMs ? 'open' : status;
}

/** Whether tickets are sold now; if not, why: when the sale begins, when it ended, or that staff stopped it. */
export type Sale =
  | { readonly isOn: true }
  | {
      readonly isOn: false;
      /** Of the event. */
      readonly status: EventStatus;
      readonly startsAtMs?: number | undefined;
      readonly endedAtMs?: number | undefined;
    };

const ON_SALE: Sale = Object.freeze({ isOn: true });

/** Whether the event sells tickets of the type at that time. On the way of every sale: it parses no times twice. */
export function isOnSale(event: EventDefinition, type: TicketType, nowMs: number): Sale {
  const status = statusAt(event, nowMs);
  const sale = timesOf(event, event.onSaleAt, event.endsAt);
  if (status === 'scheduled') return { isOn: false, status, startsAtMs: sale.startsMs };
  if (status === 'ended' && nowMs >= sale.endsMs) return { isOn: false, status, endedAtMs: sale.endsMs };
  if (status !== 'open') return { isOn: false, status };
  const window = timesOf(type, type.saleStartsAt, type.saleEndsAt);
  if (nowMs < window.startsMs) return { isOn: false, status, startsAtMs: window.startsMs };
  if (nowMs >= window.endsMs) return { isOn: false, status, endedAtMs: window.endsMs };
  return ON_SALE;
}

interface Times {
  readonly startsMs: number;
  readonly endsMs: number;
}

// Definitions are immutable, so what was parsed once holds as long as they live.
const parsed = new WeakMap<EventDefinition | TicketType, Times>();

function timesOf(
  owner: EventDefinition | TicketType,
  start: string | undefined,
  end: string | undefined,
): Times {
  const known = parsed.get(owner);
  if (known) return known;
  const times = {
    startsMs: start === undefined ? -Infinity : Date.parse(start),
    endsMs: end === undefined ? Infinity : Date.parse(end),
  };
  parsed.set(owner, times);
  return times;
}
