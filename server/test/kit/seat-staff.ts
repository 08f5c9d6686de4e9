// Staff who are at work while a house sells and things go wrong, each time at another process: they pause and resume,
// change a capacity, kill seats and put them back. What they were answered is kept like any buyer's answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { fromRuns } from '@floodgate/core/seating/ticket-runs.ts';
import { gather } from './checker/evidence.ts';
import type { Fact, FinalEvent } from './checker/final-ledger.ts';
import { Findings, type Violation } from './checker/findings.ts';
import type { HistoryRecord } from './checker/history.ts';
import { asStaff, GA, type House, type StaffReply } from './seat-house.ts';

const ACTIONS = ['pause', 'resume', 'change', 'kill', 'release'] as const;
type Action = (typeof ACTIONS)[number];

/** An answer that says it is done. */
interface Done {
  readonly eventId: string;
  readonly action: Action;
  /** Of the event, by the answer's ETag. */
  readonly version: number;
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  readonly body: StaffReply['body'];
}

interface AllocationBody {
  readonly allocationId: string;
  readonly quantity: number;
  readonly lines: readonly { readonly tickets: string }[];
}

export class SeatStaff {
  readonly done: Done[] = [];
  /** By action and status. */
  readonly answers = new Map<string, number>();
  readonly #anyPort: () => number;
  readonly #random: () => number;
  readonly #allocations = new Map<string, string[]>();

  constructor(anyPort: () => number, random: () => number) {
    this.#anyPort = anyPort;
    this.#random = random;
  }

  /** Until it is over; then the sale goes on. */
  async work(house: House, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const dice = this.#random();
      if (dice < 0.25) await this.pauseForAMoment(house);
      else if (dice < 0.5) await this.#resize(house);
      else if (dice < 0.8) await this.#kill(house);
      else await this.#release(house);
      await sleep(this.#random() * 60);
    }
  }

  async pauseForAMoment({ eventId }: House): Promise<void> {
    const path = `/api/v1/events/${eventId}`;
    await this.#ask(eventId, 'pause', `${path}/pause`);
    await sleep(this.#random() * 80);
    while ((await this.#ask(eventId, 'resume', `${path}/resume`))?.status !== 200) await sleep(50);
  }

  async #resize({ eventId }: House): Promise<void> {
    const path = `/api/v1/events/${eventId}`;
    const event = await this.#send('GET', path);
    if (event?.status !== 200) return;
    const types = event.body.ticketTypes as { ticketTypeId: string; capacity: number }[];
    const { capacity } = types.find(({ ticketTypeId }) => ticketTypeId === GA)!;
    const step = 1 + Math.floor(this.#random() * 15);
    const wanted = this.#random() < 0.6 || capacity < step ? capacity + step : capacity - step;
    const body = { ticketTypes: [{ ticketTypeId: GA, capacity: wanted }] };
    await this.#ask(eventId, 'change', path, body, event.etag);
  }

  async #kill({ eventId, seats }: House): Promise<void> {
    const dice = this.#random();
    const first = Math.floor(this.#random() * (seats.length - 4));
    const named = seats.slice(first, first + 1 + Math.floor(this.#random() * 4)).map(({ name }) => name);
    const line =
      dice < 0.6
        ? { seats: named }
        : dice < 0.8
          ? { ticketType: 'circle', bestAvailable: 3 }
          : { ticketType: GA, quantity: 2 };
    const body = { name: 'House seats', kind: dice < 0.3 ? 'channel' : 'kill', lines: [line] };
    const reply = await this.#ask(eventId, 'kill', `/api/v1/events/${eventId}/allocations`, body);
    if (reply?.status !== 201) return;
    const known = this.#allocations.get(eventId) ?? [];
    this.#allocations.set(eventId, [...known, (reply.body as unknown as AllocationBody).allocationId]);
  }

  async #release({ eventId }: House): Promise<void> {
    const known = this.#allocations.get(eventId) ?? [];
    const [id] = known.splice(Math.floor(this.#random() * known.length), 1);
    if (id === undefined) return;
    const body = this.#random() < 0.3 ? { quantity: 1 } : {};
    await this.#ask(eventId, 'release', `/api/v1/events/${eventId}/allocations/${id}/release`, body);
  }

  async #ask(
    eventId: string,
    action: Action,
    path: string,
    body: unknown = {},
    ifMatch?: string,
  ): Promise<StaffReply | undefined> {
    const sentAtMs = performance.now();
    const reply = await this.#send(action === 'change' ? 'PATCH' : 'POST', path, body, ifMatch);
    const name = `${action} ${reply?.status ?? 'lost'}`;
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
    if (reply !== undefined && reply.status < 300) {
      const version = Number(/^(?:W\/)?"(\d+)"$/.exec(reply.etag ?? '')?.[1]);
      const endedAtMs = performance.now();
      this.done.push({ eventId, action, version, sentAtMs, endedAtMs, body: reply.body });
    }
    return reply;
  }

  /** Undefined when no answer came. */
  async #send(method: string, path: string, body?: unknown, ifMatch?: string) {
    try {
      return await asStaff(this.#anyPort(), method, path, body, ifMatch);
    } catch {
      await sleep(50);
      return undefined;
    }
  }
}

type Change = Fact & { readonly action?: string };

/** All that staff were answered about the event that its journal does not have, or has in another order. */
export function checkDone(
  records: readonly HistoryRecord[],
  event: FinalEvent,
  done: readonly Done[],
): Violation[] {
  const found = new Findings();
  const { eventId } = event;
  const journal = event.journal as readonly Change[];
  const evidence = gather(records, [event]).events.get(eventId)!;
  const its = done.filter((each) => each.eventId === eventId).sort((a, b) => a.endedAtMs - b.endedAtMs);
  for (const each of its) {
    const facts = [{ seq: each.version }];
    const flaw = flawOf(each, journal);
    if (flaw !== undefined)
      found.add('durability', eventId, `${each.action} was answered: ${flaw}`, { facts });
    // What came after the answer is after it in the ledger too: of staff, and of buyers.
    const early = its.find(({ sentAtMs, version }) => sentAtMs > each.endedAtMs && version < each.version);
    if (early) {
      const what = `${early.action} was answered with version ${early.version} after ${each.version} had been`;
      found.add('order', eventId, what, { facts });
    }
    for (const [fact, ops] of evidence.causes) {
      const asked = ops.flatMap((op) => op.calls.map(({ atMs }) => atMs));
      if (fact.seq > each.version || asked.length === 0) continue;
      if (asked.every((atMs) => atMs > each.endedAtMs)) {
        const what = `${fact.kind}, asked for after ${each.action} was answered, stands before it`;
        found.add('order', eventId, what, { ops, facts: [fact, ...facts] });
      }
    }
  }
  return found.violations;
}

function flawOf({ action, version, body }: Done, journal: readonly Change[]): string | undefined {
  const fact = journal[version - 1];
  if (fact?.kind !== 'event-changed' && fact?.kind !== 'event-created')
    return `its version is no change of staff but ${fact?.kind ?? 'nothing'}`;
  switch (action) {
    case 'pause':
    case 'resume': {
      const statuses = journal.slice(0, version).map(({ after }) => after?.status);
      const status = statuses.findLast((each) => typeof each === 'string') ?? 'open';
      return status === (action === 'pause' ? 'paused' : 'open') ? undefined : `the event was ${status}`;
    }
    case 'change':
      return fact.action === 'change' || fact.kind === 'event-created' ? undefined : `it is ${fact.action}`;
    case 'kill': {
      const { allocationId, lines } = body as unknown as AllocationBody;
      const told = lines.flatMap(({ tickets }) => fromRuns(tickets)).sort((a, b) => a - b);
      const isSo = fact.allocationId === allocationId && String(sorted(fact.setAside)) === String(told);
      return isSo ? undefined : `${told} were told, ${fact.setAside} are aside`;
    }
    case 'release':
      return fact.action === 'release' && fact.restored!.length > 0 ? undefined : `it is ${fact.action}`;
  }
}

function sorted(tickets: readonly number[] = []): number[] {
  return [...tickets].sort((a, b) => a - b);
}
