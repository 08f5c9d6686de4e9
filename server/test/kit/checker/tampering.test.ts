// Takes the evidence of a correct run, changes one thing, and expects the checker to say what it was: so each
// single check is known to work, also those which no seeded bug reaches alone.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { check } from './check.ts';
import type { Fact, FinalEvent, FinalLedger } from './final-ledger.ts';
import { formatViolations, type Rule } from './findings.ts';
import { type Run, simulate } from './simulate.ts';

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };
type MutableFact = Mutable<Fact>;
type MutableRun = Mutable<Run>;

interface Tampering {
  readonly rule: Rule;
  readonly says: RegExp;
  readonly tamper: (run: MutableRun) => void;
}

const factOf = (run: MutableRun, kind: Fact['kind']): MutableFact =>
  run.ledger.flatMap((event) => event.journal).find((fact) => fact.kind === kind)!;
const answerTo = (run: MutableRun, pick: (body: string) => boolean) =>
  run.history.find((record) => record.type === 'ok' && pick(record.body))!;
/** Lets a fact happen once more, at the end. */
const repeat = (run: MutableRun, change: Partial<MutableFact>, pick: (fact: MutableFact) => boolean) => {
  const { journal } = firstEvent(run);
  const { seq, atMs } = journal.at(-1)!;
  journal.push({ ...journal.find(pick)!, ...change, seq: seq + 1, atMs });
};
const firstEvent = (run: MutableRun): Mutable<FinalEvent> => run.ledger[0]!;

const TAMPERINGS: Record<string, Tampering> = {
  'a grant without a request': {
    rule: 'resolve',
    says: /nobody asked for it/,
    tamper: (run) => Object.assign(factOf(run, 'bought'), { key: undefined, buyer: 'somebody' }),
  },
  'a refusal that contradicts how the hold ended': {
    rule: 'resolve',
    says: /refused with HOLD_CONFIRMED, but in the journal/,
    tamper: (run) => {
      const refused = run.history.find(
        (record) => record.type === 'fail' && /HOLD_EXPIRED/.test(record.body),
      )!;
      Object.assign(refused, { body: '{"error":"HOLD_CONFIRMED"}' });
    },
  },
  'a release after which the hold is confirmed all the same': {
    rule: 'resolve',
    says: /released, but all who asked for it were refused/,
    tamper: (run) => {
      const released = new Set(
        run.history.filter((r) => r.type === 'invoke' && r.kind === 'release').map((r) => r.call),
      );
      const answers = run.history.filter((r) => r.type !== 'invoke' && released.has(r.call));
      for (const answer of answers)
        Object.assign(answer, { type: 'fail', status: 409, body: '{"error":"HOLD_EXPIRED"}' });
    },
  },
  'a keyed request that is never answered': {
    rule: 'resolve',
    says: /never answered/,
    tamper: (run) => {
      const request = {
        kind: 'buy',
        eventId: '1',
        opId: 'open',
        keyed: true,
        quantity: 1,
        holdId: null,
        body: '',
      } as const;
      run.history.push({ type: 'invoke', call: 1e6, client: 0, atMs: 1e6, ...request });
    },
  },
  'one keyless request that had two effects': {
    rule: 'resolve',
    says: /one request had 2 effects/,
    tamper: (run) =>
      repeat(run, { orderId: '77' }, (fact) => fact.kind === 'bought' && fact.key === undefined),
  },
  'a hold id that was given twice': {
    rule: 'uniqueness',
    says: /hold id \d+ was given twice/,
    tamper: (run) => repeat(run, {}, (fact) => fact.kind === 'held'),
  },
  'one claim more than there are tickets': {
    rule: 'bound',
    says: /121 of 120 tickets of type ga are claimed/,
    tamper: (run) => repeat(run, { orderId: '77', tickets: [0] }, (fact) => fact.kind === 'bought'),
  },
  'an end of a hold too many': {
    rule: 'bound',
    says: /fewer than 0 tickets of ga are held/,
    tamper: (run) => repeat(run, {}, (fact) => fact.kind === 'expired'),
  },
  'an order id that is also of another event': {
    rule: 'uniqueness',
    says: /is also one of event/,
    tamper: (run) => {
      const [one, other] = run.ledger.map((event) => event.journal.find((fact) => fact.kind === 'bought')!);
      other!.orderId = one!.orderId;
    },
  },
  'a ticket that was answered to two buyers': {
    rule: 'uniqueness',
    says: /was answered under orders/,
    tamper: (run) => {
      const bodies = run.history.filter(
        (record) => record.type === 'ok' && /"eventId":"1","orderId"/.test(record.body),
      );
      const [one, two] = bodies as { body: string }[];
      const order = /"orderId":"[0-9]*"/;
      two!.body = one!.body.replace(order, order.exec(two!.body)![0]);
    },
  },
  'an order confirmed with other tickets than were held': {
    rule: 'uniqueness',
    says: /other tickets than were held/,
    tamper: (run) => {
      factOf(run, 'confirmed').tickets = [0, 0];
    },
  },
  'a row of a claim that has no cause': {
    rule: 'conservation',
    says: /the journal says free/,
    tamper: (run) => {
      const { claims, journal } = firstEvent(run);
      const sold = journal.findLast((fact) => fact.kind === 'bought')!;
      firstEvent(run).journal = journal.filter((fact) => fact !== sold);
      assert.ok(claims!.some((claim) => claim.by === sold.orderId));
    },
  },
  'a claim whose row is missing': {
    rule: 'conservation',
    says: /the claim on ticket \d+ is in the journal only/,
    tamper: (run) => firstEvent(run).claims!.pop(),
  },
  'an order whose row is missing': {
    rule: 'conservation',
    says: /order \d+ is in the journal only/,
    tamper: (run) => firstEvent(run).orders.pop(),
  },
  'an order whose row has other tickets': {
    rule: 'conservation',
    says: /is not as the journal has it/,
    tamper: (run) => firstEvent(run).orders[0]!.tickets.push(119),
  },
  'a hold that never ends': {
    rule: 'conservation',
    says: /are held for ever/,
    tamper: (run) => {
      const { journal } = firstEvent(run);
      firstEvent(run).journal = journal.filter(
        (fact) => fact !== journal.findLast(({ kind }) => kind === 'expired'),
      );
    },
  },
  'a hold with a longer life than others': {
    rule: 'hold-time',
    says: /a hold of 200 ms was given 201 ms/,
    tamper: (run) => {
      factOf(run, 'held').expiresAtMs! += 1;
    },
  },
  'a hold without a deadline': {
    rule: 'hold-time',
    says: /without id or deadline/,
    tamper: (run) => {
      factOf(run, 'held').expiresAtMs = undefined;
    },
  },
  'an end of a hold that was never made': {
    rule: 'hold-time',
    says: /which was never made/,
    tamper: (run) => {
      factOf(run, 'expired').holdId = '999';
    },
  },
  'a clock that steps back': {
    rule: 'order',
    says: /clock stepped back/,
    tamper: (run) => {
      firstEvent(run).journal.at(-1)!.atMs -= 1e6;
    },
  },
  'an "all held" while tickets were free': {
    rule: 'order',
    says: /ALL_HELD for 1, while at least/,
    tamper: (run) => {
      const first = run.history.find((record) => record.type === 'ok')!;
      Object.assign(first, { type: 'fail', status: 409, body: '{"error":"ALL_HELD"}' });
      const asked = run.history.find((record) => record.call === first.call)!;
      Object.assign(asked, { quantity: 1 });
    },
  },
  'a grant without its place in the journal': {
    rule: 'durability',
    says: /without its ledgerSeq/,
    tamper: (run) => {
      const ok = answerTo(run, () => true) as { body: string };
      ok.body = ok.body.replace(/"ledgerSeq":\d+,/, '');
    },
  },
  'a grant with the tickets of another': {
    rule: 'durability',
    says: /was answered, and lost: seq \d+ has tickets/,
    tamper: (run) => {
      const ok = answerTo(run, () => true) as { body: string };
      ok.body = ok.body.replace(/"ticketId":"\d+"/, '"ticketId":"119"');
    },
  },
  'a grant with the place of another': {
    rule: 'durability',
    says: /belongs to another request|is (held|released|confirmed|bought|order)/,
    tamper: (run) => {
      const ok = answerTo(run, (body) => /"orderId"/.test(body)) as { body: string };
      ok.body = ok.body.replace(/"ledgerSeq":(\d+)/, (_, seq) => `"ledgerSeq":${Number(seq) + 1}`);
    },
  },
  'a fact that was rewritten': {
    rule: 'durability',
    says: /rewritten in the journal/,
    tamper: (run) => {
      (run.options.earlier as Mutable<FinalLedger>)[0]!.journal[1]!.buyer = 'somebody';
    },
  },
  'a fact that is gone': {
    rule: 'durability',
    says: /was in the journal and is gone/,
    tamper: (run) => {
      const { journal } = firstEvent(run);
      const { earlier } = run.options;
      firstEvent(run).journal = journal.slice(0, earlier![0]!.journal.length - 1);
    },
  },
  'an event that is gone': {
    rule: 'durability',
    says: /does not know this event/,
    tamper: (run) => run.ledger.pop(),
  },
  'a key that is called reused and was not': {
    rule: 'idempotency',
    says: /called reused/,
    tamper: (run) => {
      const keyless = run.history.find((record) => record.type === 'invoke' && record.keyed)!;
      const answer = run.history.find((record) => record.type === 'ok' && record.call === keyless.call)!;
      Object.assign(answer, { type: 'fail', status: 422, body: '{"error":"IDEMPOTENCY_KEY_REUSED"}' });
    },
  },
};

describe('the checker and tampered evidence', () => {
  let clean: Run;
  before(async () => {
    clean = await simulate(3);
  });

  for (const [name, { rule, says, tamper }] of Object.entries(TAMPERINGS)) {
    test(`${rule} catches ${name}`, () => {
      const run: MutableRun = JSON.parse(JSON.stringify(clean));
      tamper(run);
      const violations = check(run.history, run.ledger, run.options);
      const caught = violations.some((violation) => violation.rule === rule && says.test(violation.what));
      assert.ok(caught, `not caught; instead ${formatViolations(violations)}`);
    });
  }
});
