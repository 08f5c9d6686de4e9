// How an event is sold: from the store that all processes share, or alone, from this process's memory. One complete table.
//
//        ┌──────── told ────────┐
//        ▼                      │
//     shared ─── behind ───▶ telling        the shared store sells
//      ▲   │                    │
//      │   └─────── lost ───────┤
//      │                        ▼
//      ├─────── returned ─── leaving ◀─┐    nothing sells here until the first request comes
//      │                  asked │      │
//      │                        ▼      │ loadFailed
//      │                     loading ──┘    requests wait until the memory inventory has read the ledger
//      │                        │ loaded
//      │                        ▼
//      └─────── returned ───  alone         the memory inventory sells
//
// Returning is no mode of its own: while the shared store is loaded again, buyers are served as before, and the event may
// begin and end to load here. The return only waits for such a load, so that none ends in a mode it did not begin in. A
// telling, however, may outlive its mode; then its end is no step.
//
// The table is typed by every mode and every step, so a missing cell does not compile.
import { invariant } from '@floodgate/core/assert.ts';

export type Mode =
  | { readonly is: 'shared' }
  /** Shared, and the store is being told what processes that are alone have claimed. */
  | { readonly is: 'telling'; readonly telling: Promise<void> }
  | { readonly is: 'leaving' }
  | { readonly is: 'loading'; readonly loading: Promise<void> }
  /** `fromSeq`: where the event stood in the ledger when it was loaded here. */
  | { readonly is: 'alone'; readonly fromSeq: number };

export type Step =
  /** The shared store is away, refuses to write, has forgotten the event, or lost a message about it. */
  | { readonly by: 'lost' }
  /** The first request came while the event was alone, and began to load it. */
  | { readonly by: 'asked'; readonly loading: Promise<void> }
  | { readonly by: 'loaded'; readonly fromSeq: number }
  | { readonly by: 'loadFailed' }
  /** The shared store was loaded from the ledger, under a lock. */
  | { readonly by: 'returned' }
  /** The ledger refused proposals of the shared store, which is being told why. */
  | { readonly by: 'behind'; readonly telling: Promise<void> }
  | { readonly by: 'told' };

type StepOf<B extends Step['by']> = Extract<Step, { readonly by: B }>;
type Cell<B extends Step['by']> = 'same' | 'never' | ((step: StepOf<B>) => Mode);

const share = (): Mode => ({ is: 'shared' });
const tell = ({ telling }: StepOf<'behind'>): Mode => ({ is: 'telling', telling });
const leave = (): Mode => ({ is: 'leaving' });
const load = ({ loading }: StepOf<'asked'>): Mode => ({ is: 'loading', loading });
const sell = ({ fromSeq }: StepOf<'loaded'>): Mode => ({ is: 'alone', fromSeq });

/** `same`: it says nothing new. `never`: only a bug of ours can bring it. */
const CELLS: { readonly [M in Mode['is']]: { readonly [B in Step['by']]: Cell<B> } } = {
  shared: {
    lost: leave,
    asked: 'never',
    loaded: 'never',
    loadFailed: 'never',
    returned: 'never',
    behind: tell,
    told: 'never',
  },
  telling: {
    lost: leave,
    asked: 'never',
    loaded: 'never',
    loadFailed: 'never',
    returned: 'never',
    behind: 'never',
    told: share,
  },
  leaving: {
    lost: 'same',
    asked: load,
    loaded: 'never',
    loadFailed: 'never',
    returned: share,
    behind: 'never',
    told: 'never',
  },
  loading: {
    lost: 'same',
    asked: 'never',
    loaded: sell,
    loadFailed: leave,
    returned: 'never',
    behind: 'never',
    told: 'never',
  },
  alone: {
    lost: 'same',
    asked: 'never',
    loaded: 'never',
    loadFailed: 'never',
    returned: share,
    behind: 'never',
    told: 'never',
  },
};

export const SHARED: Mode = share();

/** The mode after a step; the same object when the step changes nothing. Throws when the step cannot come in this mode. */
export function stepMode(mode: Mode, step: Step): Mode {
  // The cell of a step takes that very step, which the types cannot follow through two lookups.
  const cell = CELLS[mode.is][step.by] as Cell<Step['by']>;
  if (cell === 'same') return mode;
  invariant(cell !== 'never', `${step.by} while an event is ${mode.is}`);
  return cell(step);
}

/** Whether the shared store sells the event. */
export function isShared(mode: Mode): boolean {
  return mode.is === 'shared' || mode.is === 'telling';
}
