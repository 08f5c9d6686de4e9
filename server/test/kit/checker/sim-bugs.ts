// The defects which the simulated shop can be given, one at a time. Each was seen in a real ticket shop, or is
// one line away from a real one.

export const BUGS = {
  'double-pop': 'two takes read the free list before either has shortened it',
  'one-too-many': 'the free list has one ticket more than there are',
  'partial-grant': 'who asks for three gets the last two',
  'false-sold-out': 'tickets in flight or on hold count as gone for good',
  'lost-update': 'a count is read before an await and written after it: n += await f()',
  leak: 'an expired hold does not always give its tickets back',
  'early-expire': 'holds are expired before their deadline',
  'forgotten-extension': 'an extended hold is expired at its first deadline',
  'early-give-back': 'tickets are on sale again before their hold has ended',
  'double-release': 'two sweepers expire the same hold',
  'late-confirm': 'a hold is confirmed after its deadline, because nobody has swept it yet',
  'ack-before-fsync': 'a grant is answered before it is durable',
  'lost-ack': 'recovery takes the last whole record for a torn one',
  'refused-grant': 'a grant is answered as a refusal',
  'check-then-act': 'the key is looked up before the purchase and written after it',
  'keys-in-memory': 'keys are forgotten when the process dies',
  'other-body': 'a key is answered without a look at the body',
  'fresh-replay': 'a replayed answer is made anew',
  'seq-gap': 'a refused entry uses up a sequence number',
  'seq-disorder': 'sequence numbers are dealt from blocks, not in the order of commits',
  'reused-ids': 'ids are counted from one in every process',
} as const;

export type Bug = keyof typeof BUGS;
