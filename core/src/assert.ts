// What can only fail by a bug of ours: asserted, in production too, and never answered as a refusal.

/** Ends a `switch` over a closed union: does not compile when a case is missing, throws if one slips through. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unexpected ${JSON.stringify(value)}`);
}

/** A broken invariant is our bug, never a refusal: it is asserted in production too. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}
