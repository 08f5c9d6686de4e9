// What the checker found wrong, worded for the person who has to find the defect.

/** The passes of the checker; each violation belongs to one. */
export type Rule =
  /** 1: every request has the effect it was told of: all of it, nothing when refused, and nothing else happened. */
  | 'resolve'
  /** 2: a ticket has one claim at a time; ids are unique. */
  | 'uniqueness'
  /** 3: never more claimed than there is, never less than nothing. */
  | 'bound'
  /** 4: counts, orders and claims agree with the journal; nothing leaks. */
  | 'conservation'
  /** 5: a hold ends once, by confirm before its deadline or by expire after it. */
  | 'hold-time'
  /** 6: the journal is gapless, in real-time order, and "sold out" was true at some instant. */
  | 'order'
  /** 7: what was answered is in the ledger; the ledger only grows. */
  | 'durability'
  /** 8: one key, one effect, one answer. */
  | 'idempotency'
  /** 9: what is paid is what was asked when the tickets were claimed, and no more comes back. */
  | 'money';

export interface Violation {
  readonly rule: Rule;
  readonly eventId: string;
  readonly what: string;
  /** The operations and the journal's sequence numbers to look at. */
  readonly ops: readonly string[];
  readonly seqs: readonly number[];
}

/** The operations and facts a violation points at. */
export interface Pointers {
  readonly ops?: readonly { readonly opId: string }[] | undefined;
  readonly facts?: readonly { readonly seq: number }[] | undefined;
}

export class Findings {
  readonly violations: Violation[] = [];

  add(rule: Rule, eventId: string, what: string, { ops = [], facts = [] }: Pointers = {}): void {
    this.violations.push({
      rule,
      eventId,
      what,
      ops: [...new Set(ops.map((op) => op.opId))],
      seqs: [...new Set(facts.map((fact) => fact.seq))],
    });
  }
}

/** A report for a test's failure message: the count per rule, then the first of them. */
export function formatViolations(violations: readonly Violation[], shown = 20): string {
  const perRule = new Map<Rule, number>();
  for (const { rule } of violations) perRule.set(rule, (perRule.get(rule) ?? 0) + 1);
  const summary = [...perRule].map(([rule, count]) => `${count} × ${rule}`).join(', ');
  const lines = violations.slice(0, shown).map(({ rule, eventId, what, ops, seqs }) => {
    const where = [...ops.map((op) => `op ${op}`), ...seqs.map((seq) => `seq ${seq}`)].join(', ');
    return `  [${rule}] event ${eventId}: ${what}${where === '' ? '' : ` (${where})`}`;
  });
  const more = violations.length > shown ? [`  … and ${violations.length - shown} more`] : [];
  return [`${violations.length} violations: ${summary}`, ...lines, ...more].join('\n');
}
