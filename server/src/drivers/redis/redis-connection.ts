// Keeps one client of Redis alive: connects again after a loss, and gives every command a deadline. A command whose
// answer was lost is not repeated, because nobody knows whether it had its effect.
import { Redis } from 'ioredis';
import { Backoff } from '../time.ts';
import { asUnavailable, isReplyError, RedisUnavailable, UnsuitableRedis, withoutCommand } from './faults.ts';
import { destroyClient, openClient, type RedisClient } from './redis-client.ts';
import { parseRedisUrl, type RedisAddress } from './redis-url.ts';
import type { Script } from './script.ts';

export interface ConnectionOptions {
  /** How long Redis may take to answer before the connection counts as dead. */
  readonly deadlineMs: number;
  readonly connectTimeoutMs: number;
  /** Those that will be run: Redis gets to know them before anything is asked. */
  readonly scripts: readonly Script[];
  /** One line for the operator. */
  readonly warn: (line: string) => void;
  readonly onConnected: () => void;
  readonly onDisconnected: (fault: Error) => void;
}

type Argument = string | Buffer;

/** A command that has no answer yet. */
interface Flight {
  readonly client: RedisClient;
  readonly dueMs: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export class RedisConnection {
  readonly #address: RedisAddress;
  readonly #options: ConnectionOptions;
  readonly #flights = new Set<Flight>();
  readonly #closing = new AbortController();
  #client: RedisClient | undefined;
  #lose: (fault: Error) => void = () => {};
  #lastFault: Error | undefined;
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;
  #watchUntilMs = Number.POSITIVE_INFINITY;
  #life: Promise<void> = Promise.resolve();

  private constructor(address: RedisAddress, options: ConnectionOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Rejects when Redis cannot be used now, or, with `mayWait`, only when it never will do. */
  static async connect(url: string, options: ConnectionOptions, mayWait: boolean): Promise<RedisConnection> {
    const connection = new RedisConnection(parseRedisUrl(url), options);
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    connection.#life = connection.#live(resolve);
    const fault = await promise;
    if (fault !== undefined && (!mayWait || fault instanceof UnsuitableRedis)) {
      await connection.close();
      throw fault;
    }
    return connection;
  }

  get isConnected(): boolean {
    return this.#client?.status === 'ready';
  }

  /** The fault of asking while there is no connection. */
  whyNot(): RedisUnavailable {
    const why = this.#lastFault === undefined ? '' : `: ${this.#lastFault.message}`;
    return new RedisUnavailable(`Redis is not connected${why}`, { cause: this.#lastFault });
  }

  /** Changes whenever what was known of the server may have become untrue. */
  get generation(): number {
    return this.#generation;
  }

  /** Rejects with Redis' own error answer, or with RedisUnavailable. */
  async run(script: Script, keys: readonly string[], args: readonly Argument[], extraMs = 0) {
    const rest = [`${keys.length}`, ...keys, ...args];
    try {
      return String(await this.call('EVALSHA', [script.sha1, ...rest], extraMs));
    } catch (error) {
      if (!isReplyError(error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return String(await this.call('EVAL', [script.text, ...rest], extraMs)); // This loads it, too.
    }
  }

  /** `extraMs` is what the answer may take longer than others. */
  call(command: string, args: readonly Argument[], extraMs = 0): Promise<unknown> {
    return this.#send((client) => client.call(command, args as Argument[]), extraMs);
  }

  /** As `call`, for answers that are no text. */
  callBuffer(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.#send((client) => client.callBuffer(command, args as Argument[]));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#lose(new RedisUnavailable('the connection to Redis is closed'));
    await this.#life;
    clearTimeout(this.#timer);
  }

  async #send<T>(send: (client: RedisClient) => Promise<T>, extraMs = 0): Promise<T> {
    const client = this.#client;
    if (client === undefined || client.status !== 'ready') {
      throw this.whyNot();
    }
    const flight = { client, dueMs: performance.now() + this.#options.deadlineMs + extraMs };
    this.#flights.add(flight);
    this.#watch(flight.dueMs);
    corkForThisTurn(client);
    try {
      return await send(client);
    } catch (error) {
      if (!isReplyError(error)) throw asUnavailable(this.#lastFault ?? error);
      // A master that became a replica: the address may lead to the new master now.
      if (error.message.startsWith('READONLY')) this.#lose(asUnavailable(error));
      throw withoutCommand(error);
    } finally {
      this.#flights.delete(flight);
    }
  }

  // One timer for all commands, set for the first that is due when it was set. A late command gets another look at
  // the socket before Redis is blamed: the answer may have been there while this process was busy.
  #watch(dueMs: number): void {
    if (dueMs >= this.#watchUntilMs) return;
    clearTimeout(this.#timer);
    this.#watchUntilMs = dueMs;
    this.#timer = setTimeout(() => setImmediate(() => this.#judge()), dueMs - performance.now()).unref();
  }

  #judge(): void {
    this.#watchUntilMs = Number.POSITIVE_INFINITY;
    const dueMs = this.#firstDueMs();
    if (dueMs <= performance.now()) {
      this.#lose(new RedisUnavailable(`Redis did not answer within ${this.#options.deadlineMs} ms`));
    } else if (dueMs < Number.POSITIVE_INFINITY) {
      this.#watch(dueMs);
    }
  }

  #firstDueMs(): number {
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { client, dueMs } of this.#flights) {
      if (client === this.#client && dueMs < firstMs) firstMs = dueMs;
    }
    return firstMs;
  }

  /** Connects, serves until the connection is lost, waits longer each time it fails, and so on until closed. */
  async #live(tellFirst: (fault: Error | undefined) => void): Promise<void> {
    const { connectTimeoutMs, scripts, warn } = this.#options;
    let addresses: readonly RedisAddress[] = [this.#address];
    const backoff = new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      try {
        const address = addresses[attempt % addresses.length]!;
        const { client, warnings, nodes } = await openClient(address, connectTimeoutMs, scripts);
        for (const line of warnings) warn(line);
        addresses = [this.#address, ...nodes];
        attempt = -1;
        backoff.reset();
        await this.#serve(client, tellFirst);
      } catch (error) {
        if (error instanceof UnsuitableRedis && error.message !== this.#lastFault?.message)
          warn(error.message);
        this.#lastFault = error as Error;
        tellFirst(this.#lastFault);
      }
      await backoff.pause(this.#closing.signal).catch(() => {});
    }
  }

  async #serve(client: RedisClient, tellFirst: (fault: undefined) => void): Promise<void> {
    const { promise: lost, resolve } = Promise.withResolvers<Error>();
    const lose = (fault: Error) => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#lastFault = fault;
      this.#generation++;
      destroyClient(client);
      resolve(fault);
    };
    this.#client = client;
    this.#lastFault = undefined;
    this.#lose = lose;
    this.#generation++;
    client.once('end', () => lose(new RedisUnavailable('the connection to Redis was lost')));
    // A node of a cluster that comes or goes may bring older data.
    for (const name of ['+node', '-node']) client.on(name, () => this.#generation++);
    if (this.#closing.signal.aborted || client.status !== 'ready') lose(new RedisUnavailable('closed'));
    tellFirst(undefined);
    this.#options.onConnected();
    const fault = await lost;
    this.#options.onDisconnected(fault);
  }
}

/** What one turn of the event loop sends to one server reaches the socket in one write. */
function corkForThisTurn(client: RedisClient): void {
  if (!(client instanceof Redis) || client.stream.writableCorked > 0) return;
  const { stream } = client;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
