// The hold's life as one complete table (rule S6: a hold ends exactly once).
//
//             ┌─ confirm ─▶ confirmed
//   active ───┼─ release ─▶ released
//   ▲    │    └─ expire ──▶ expired   (only at or after its deadline)
//   └────┘ extend
//
// The table is typed by every state and every command, so a missing cell does not compile.
import type { RefusalCode } from './refusal.ts';

export type HoldStatus = 'active' | 'confirmed' | 'released' | 'expired';
export type HoldCommand = 'confirm' | 'release' | 'expire' | 'extend';

/** `to`: the hold changes (or is renewed); `same`: already so, no effect, answered as success; else refused. */
export type HoldStep =
  | { readonly to: HoldStatus }
  | { readonly same: true }
  | { readonly refusal: RefusalCode };

type Deadline = 'before' | 'due';

const SAME: HoldStep = { same: true };
const refuse = (refusal: RefusalCode): HoldStep => ({ refusal });

const STEPS: Record<HoldStatus, Record<HoldCommand, Record<Deadline, HoldStep>>> = {
  active: {
    confirm: { before: { to: 'confirmed' }, due: refuse('HOLD_EXPIRED') },
    release: { before: { to: 'released' }, due: { to: 'released' } },
    expire: { before: refuse('HOLD_NOT_DUE'), due: { to: 'expired' } },
    extend: { before: { to: 'active' }, due: refuse('HOLD_EXPIRED') },
  },
  confirmed: {
    confirm: { before: SAME, due: SAME },
    release: { before: refuse('HOLD_CONFIRMED'), due: refuse('HOLD_CONFIRMED') },
    expire: { before: refuse('HOLD_CONFIRMED'), due: refuse('HOLD_CONFIRMED') },
    extend: { before: refuse('HOLD_CONFIRMED'), due: refuse('HOLD_CONFIRMED') },
  },
  released: {
    confirm: { before: refuse('HOLD_RELEASED'), due: refuse('HOLD_RELEASED') },
    release: { before: SAME, due: SAME },
    expire: { before: refuse('HOLD_RELEASED'), due: refuse('HOLD_RELEASED') },
    extend: { before: refuse('HOLD_RELEASED'), due: refuse('HOLD_RELEASED') },
  },
  expired: {
    confirm: { before: refuse('HOLD_EXPIRED'), due: refuse('HOLD_EXPIRED') },
    release: { before: refuse('HOLD_EXPIRED'), due: refuse('HOLD_EXPIRED') },
    expire: { before: SAME, due: SAME },
    extend: { before: refuse('HOLD_EXPIRED'), due: refuse('HOLD_EXPIRED') },
  },
};

/** All of them, in a fixed order. */
export const HOLD_STATUSES = Object.keys(STEPS) as readonly HoldStatus[];

/** Whether a hold of this status has its tickets for itself. A new status has to say. */
const IS_LIVE: Readonly<Record<HoldStatus, boolean>> = {
  active: true,
  confirmed: false,
  released: false,
  expired: false,
};

export const LIVE_STATUSES: readonly HoldStatus[] = HOLD_STATUSES.filter((status) => IS_LIVE[status]);

export function isLive({ status }: { readonly status: HoldStatus }): boolean {
  return IS_LIVE[status];
}

/**
 * What a command does to a hold. A hold is due from its deadline on, whether or not the clock's worker has
 * already swept it: `nowMs >= expiresAtMs`, both on the ledger's clock (rule S7).
 */
export function stepHold(
  status: HoldStatus,
  command: HoldCommand,
  nowMs: number,
  expiresAtMs: number,
): HoldStep {
  return STEPS[status][command][nowMs >= expiresAtMs ? 'due' : 'before'];
}
