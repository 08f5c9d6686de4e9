// What the clients of a test do: buy and hold one to three tickets, extend, confirm, release or forget their holds, send
// requests twice at once, send them again later, misuse a key. They know nothing of the shop but its answers, so
// the same clients shop in the simulation which proves the checker and in the real server which the checker judges.
import {
  type Completion,
  type HistoryLog,
  type OpKind,
  type Request,
  readAnswer,
  type Said,
} from './checker/history.ts';

/** An answer that arrived whole. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** The clients' surroundings: a shop, a clock, chance, and the history they write. */
export interface World {
  /** Rejects when no answer came. */
  send(request: Request): Promise<Reply>;
  sleep(ms: number): Promise<void>;
  /** 0 ≤ x < 1. */
  random(): number;
  readonly log: HistoryLog;
}

export interface Plan {
  readonly clients: number;
  /** The ticket type that is held. */
  readonly ticketType: string;
  /** A client pauses for up to twice this long between its operations. */
  readonly thinkMs: number;
  /** A client keeps a hold for up to this long before it decides; some should be longer than the hold lives. */
  readonly holdForMs: number;
  /** A client waits this long before it asks again. */
  readonly retryMs: number;
  /** The share of requests that buy at once. Default: half. */
  readonly buys?: number;
  /** The share of holds that are flash purchases. Default: none. */
  readonly flashes?: number;
  /** What is claimed. Default: one to three tickets of the type, by a buyer of the operation's name. */
  readonly claim?: (asked: Asked) => Claim;
}

/** An operation of which it is still open what it claims. */
export type Asked = Pick<Request, 'kind' | 'eventId' | 'opId' | 'keyed'>;
/** How many tickets, and the request's body: an operation without a key is named there, as the buyer. */
export type Claim = Pick<Request, 'quantity' | 'body'>;

interface Result {
  readonly type: Completion['type'];
  readonly said: Said;
}

const MAX_QUANTITY = 3;
const MAX_TRIES = 3;
const REMEMBERED = 50;
const BUYS = 0.5;
/** Who thinks about a hold looks up this often to see whether it is over. */
const LOOK_UP_MS = 30;
/** … and then asks for more time as often as this. */
const EXTENDS = 0.1;

/** The clients and what they remember: it outlives a round of a test, so that later rounds ask again. */
export class Workload {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #answered: Request[] = [];
  /** Ends of holds which the end of a round came before. */
  readonly #undecided: Request[] = [];
  #unanswered: Request[] = [];
  #eventIds: readonly string[] = [];
  #ops = 0;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
  }

  /** All clients shop for these events until it is over. */
  async run(eventIds: readonly string[], isOver: () => boolean): Promise<void> {
    this.#eventIds = eventIds;
    const clients = Array.from({ length: this.#plan.clients }, async (_, client) => {
      while (!isOver()) {
        await this.#step(client, isOver);
        await this.#world.sleep(this.#world.random() * 2 * this.#plan.thinkMs);
      }
    });
    await Promise.all(clients);
  }

  /** Sends every keyed request that was never answered again, until it is. Throws when that takes too many tries. */
  async resolve(maxTries = 100): Promise<void> {
    const open = this.#unanswered;
    this.#unanswered = [];
    await Promise.all(
      open.map(async (request, index) => {
        for (let tries = 0; tries < maxTries; tries++) {
          const { type } = await this.#attempt(index % this.#plan.clients, request);
          if (type !== 'info') return;
          await this.#world.sleep(this.#plan.retryMs);
        }
        throw new Error(`op ${request.opId} had no answer in ${maxTries} tries`);
      }),
    );
  }

  async #step(client: number, isOver: () => boolean): Promise<void> {
    const end = this.#undecided.pop();
    const dice = this.#world.random();
    if (end !== undefined) await this.#ask(client, end);
    else if (dice < (this.#plan.buys ?? BUYS)) await this.#ask(client, this.#claim('buy'));
    else if (dice < 0.9) await this.#holdAndEnd(client, isOver);
    else await this.#askAgain(client);
  }

  async #holdAndEnd(client: number, isOver: () => boolean): Promise<void> {
    const { flashes = 0 } = this.#plan;
    const isFlash = flashes > 0 && this.#world.random() < flashes;
    const hold = this.#claim(isFlash ? 'flash' : 'hold');
    const { said } = await this.#ask(client, hold);
    const dice = this.#world.random();
    const { holdId, secret } = said;
    if (holdId === undefined || dice < 0.2) return;
    const held = { eventId: hold.eventId, holdId, secret };
    const end = this.#end(dice < 0.75 ? 'confirm' : 'release', held);
    const thinkForMs = this.#world.random() < 0.3 ? this.#world.random() * this.#plan.holdForMs : 0;
    for (let thoughtMs = 0; thoughtMs < thinkForMs && !isOver(); thoughtMs += LOOK_UP_MS) {
      await this.#world.sleep(LOOK_UP_MS);
      if (this.#world.random() < EXTENDS) await this.#ask(client, this.#extension(held));
    }
    if (isOver()) this.#undecided.push(end);
    else await this.#ask(client, end);
  }

  // A key that was answered is used again: as it was, or (the misuse) for a request with another body.
  async #askAgain(client: number): Promise<void> {
    const request = this.#answered[Math.floor(this.#world.random() * this.#answered.length)];
    if (request === undefined) return;
    const isMisuse = request.quantity > 0 && this.#world.random() < 0.4;
    const other = (request.quantity % MAX_QUANTITY) + 1;
    await this.#attempt(client, isMisuse ? { ...request, ...this.#claimed(request, other) } : request);
  }

  // Keyed requests are repeated until they are answered, and one in eight is sent twice at once.
  async #ask(client: number, request: Request): Promise<Result> {
    const twin = request.keyed && this.#world.random() < 0.125 ? this.#attempt(client, request) : undefined;
    let result = await this.#attempt(client, request);
    for (let tries = 1; request.keyed && result.type === 'info' && tries < MAX_TRIES; tries++) {
      await this.#world.sleep(this.#plan.retryMs);
      result = await this.#attempt(client, request);
    }
    await twin;
    if (request.keyed && result.type === 'info') this.#unanswered.push(request);
    else if (request.keyed) this.#answered[this.#ops % REMEMBERED] = request;
    return result;
  }

  async #attempt(client: number, request: Request): Promise<Result> {
    const { log } = this.#world;
    const call = log.invoke(client, request);
    try {
      const reply = await this.#world.send(request);
      return { type: log.answer(call, reply.status, reply.body), said: readAnswer(reply.body) };
    } catch (error) {
      log.lose(call, String(error));
      return { type: 'info', said: {} };
    }
  }

  #claim(kind: 'buy' | 'hold' | 'flash'): Request {
    const eventId = this.#eventIds[Math.floor(this.#world.random() * this.#eventIds.length)]!;
    const quantity = 1 + Math.floor(this.#world.random() * MAX_QUANTITY);
    const asked = { kind, eventId, opId: this.#name(), keyed: this.#world.random() < 0.75 };
    return { ...asked, holdId: null, ...this.#claimed(asked, quantity) };
  }

  #claimed(asked: Asked, quantity: number): Claim {
    const { kind, opId } = asked;
    return (
      this.#plan.claim?.(asked) ?? { quantity, body: bodyOf(kind, opId, quantity, this.#plan.ticketType) }
    );
  }

  #end(kind: 'confirm' | 'release', held: Held): Request {
    const keyed = kind === 'confirm' && this.#world.random() < 0.5;
    return { kind, ...held, opId: this.#name(), keyed, quantity: 0, body: '' };
  }

  #extension(held: Held): Request {
    return { kind: 'extend', ...held, opId: this.#name(), keyed: false, quantity: 0, body: '' };
  }

  #name(): string {
    return `op-${++this.#ops}`;
  }
}

/** A hold that was granted, and the secret that came with it. */
interface Held {
  readonly eventId: string;
  readonly holdId: string;
  readonly secret: string | undefined;
}

/** The body of a request in the API's terms. The buyer is named after the operation, so the journal names it too. */
export function bodyOf(kind: OpKind, buyer: string, quantity: number, ticketType: string): string {
  switch (kind) {
    case 'buy':
      return JSON.stringify({ quantity, buyer });
    case 'purchase':
      return JSON.stringify({ quantity });
    case 'hold':
      return JSON.stringify({ lines: [{ ticketType, quantity }], buyer });
    case 'flash':
      return JSON.stringify({ userId: buyer, skuId: ticketType, quantity });
    case 'confirm':
    case 'release':
    case 'extend':
      return '';
  }
}
