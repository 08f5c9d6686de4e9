// An organizer at the doors of a shop: makes an event for each test, changes it, and looks whether all is well.
import assert from 'node:assert/strict';
import { auditAnswer, availabilityAnswer, staffEventAnswer } from '../../src/contract/events.ts';
import { contentOf } from './answers.ts';
import { type Asking, openTestShop, type Reply, type TestShop } from './test-shop.ts';

export const GA = { ticketTypeId: 'ga', name: 'General', price: 0, currency: 'EUR', capacity: 20 };
/** On sale at once, with twenty free tickets. */
export const NIGHT = {
  name: 'Rock Night',
  venue: { name: 'Hall' },
  startsAt: '2027-05-01T20:00:00+02:00',
  timeZone: 'Europe/Berlin',
  ticketTypes: [GA],
};
export const staff = { asStaff: true } as const;
export const etagOf = (reply: Reply): string => reply.headers.get('etag') ?? '';

/** Its functions need no `this`, so that a test can name them alone. They are about the event of `eventId`. */
export class Organizer {
  eventId = '';
  #shop: TestShop | undefined;
  #made = 0;

  open = async (): Promise<void> => {
    this.#shop = await openTestShop({ settings: { SEED_TICKETS: '10' } });
  };
  close = async (): Promise<void> => this.#shop?.close();

  /** Goes on with a new event. */
  begin = async (): Promise<void> => {
    this.nextId();
    contentOf(await this.create({ eventId: this.eventId }), 201, staffEventAnswer);
  };

  /** Goes on with an event that is still to be made. */
  nextId = (): string => {
    this.eventId = `night-${++this.#made}`;
    return this.eventId;
  };

  ask = (method: string, path: string, asking?: Asking): Promise<Reply> =>
    this.#shop!.ask(method, path, asking);
  path = (rest = ''): string => `/api/v1/events/${this.eventId}${rest}`;
  create = (members: object): Promise<Reply> =>
    this.ask('POST', '/api/v1/events', { ...staff, body: { ...NIGHT, ...members } });
  read = (asStaff = true): Promise<Reply> => this.ask('GET', this.path(), { asStaff });
  patch = async (body: object, ifMatch?: string): Promise<Reply> => {
    const etag = ifMatch ?? etagOf(await this.read());
    return this.ask('PATCH', this.path(), { ...staff, body, headers: { 'if-match': etag } });
  };
  command = (name: string, ifMatch?: string): Promise<Reply> => {
    const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    return this.ask('POST', this.path(`/${name}`), { ...staff, headers });
  };
  buy = (quantity = 1): Promise<Reply> => this.ask('POST', `/buy/${this.eventId}`, { body: { quantity } });
  hold = (body: object): Promise<Reply> => this.ask('POST', this.path('/holds'), { body });

  counts = async () => {
    const reply = await this.ask('GET', this.path('/availability'));
    const { capacity, available, held, sold, allocated, killed } = contentOf(reply, 200, availabilityAnswer);
    assert.equal(available + held + sold + allocated + killed, capacity, '[S2]');
    return { capacity, available, held, sold, allocated, killed };
  };

  /** The audit is content. */
  isSound = async (): Promise<void> => {
    const report = contentOf(await this.ask('GET', this.path('/audit'), staff), 200, auditAnswer);
    assert.ok(report.ok, JSON.stringify(report.checks));
  };

  /** The shop is the same afterwards. */
  unchanged = async <T>(refused: () => Promise<T>): Promise<T> => {
    const all = await this.#shop!.everything();
    const answer = await refused();
    assert.deepEqual(await this.#shop!.everything(), all);
    return answer;
  };
}
