// A network between the program and a store that tests can break: slow, cut, half-open, or losing the answers.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to bytes: towards the server (`up`) and back (`down`). */
type Mode = 'open' | 'stalled' | 'replies-lost' | 'cut';

/** One way of one connection. What is held back keeps its order, also when the delay changes. */
class Lane {
  readonly #queue: { readonly atMs: number; readonly then: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(delayMs: number, then: () => void): void {
    this.#queue.push({ atMs: performance.now() + delayMs, then });
    if (this.#timer === undefined) this.#run();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #run(): void {
    this.#timer = undefined;
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const waitMs = first.atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#run(), Math.ceil(waitMs));
        return;
      }
      this.#queue.shift();
      first.then();
    }
  }
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly up: Lane;
  readonly down: Lane;
}

export class TcpProxy {
  readonly #targetPort: number;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #mode: Mode = 'open';
  #delayMs = 0;
  #repliesUntilCut: number | undefined;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = createServer((client) => this.#join(client));
  }

  async listen(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** How many are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Breaks all connections now and refuses new ones, until heal(). */
  cut(): void {
    this.#mode = 'cut';
    this.#breakAll();
  }

  /** Keeps all connections, swallows the bytes of both ways: half-open, as after a cable was pulled. */
  stall(): void {
    this.#mode = 'stalled';
  }

  /** Hands requests on and swallows their answers: a COMMIT is done and nobody hears of it. */
  dropReplies(): void {
    this.#mode = 'replies-lost';
  }

  /** Breaks all connections instead of handing on the n-th piece of answers from now: a reply cut on its way. */
  cutAtReply(n: number): void {
    this.#repliesUntilCut = n;
  }

  /** Holds each piece back this long, in both ways. 0 ends it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Lets bytes pass again. What was swallowed is lost: a connection that missed some is out of step. */
  resume(): void {
    this.#mode = 'open';
  }

  /** Ends every fault. Connections that lost bytes are broken, so that both sides start afresh. */
  heal(): void {
    if (this.#mode === 'stalled' || this.#mode === 'replies-lost') this.#breakAll();
    this.#mode = 'open';
    this.#delayMs = 0;
    this.#repliesUntilCut = undefined;
  }

  async stop(): Promise<void> {
    this.#mode = 'cut';
    this.#breakAll();
    if (!this.#listener.listening) return;
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #join(client: Socket): void {
    if (this.#mode === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { client: client.setNoDelay(true), server, up: new Lane(), down: new Lane() };
    this.#pairs.add(pair);
    const up = (then: () => void) => this.#send(pair.up, then, () => this.#mode === 'stalled');
    const down = (then: () => void) => this.#send(pair.down, then, () => this.#mode !== 'open');
    client.on('data', (bytes) => up(() => server.write(bytes)));
    client.on('end', () => up(() => server.end()));
    server.on('data', (bytes) => {
      if (!this.#cutsNow()) down(() => client.write(bytes));
    });
    server.on('end', () => down(() => client.end()));
    for (const socket of [client, server]) {
      socket.on('error', () => this.#break(pair));
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
      });
    }
  }

  #send(lane: Lane, then: () => void, isLost: () => boolean): void {
    if (isLost()) return;
    lane.push(this.#delayMs, () => {
      if (!isLost()) then();
    });
  }

  #cutsNow(): boolean {
    if (this.#repliesUntilCut === undefined) return false;
    this.#repliesUntilCut -= 1;
    if (this.#repliesUntilCut > 0) return false;
    this.#repliesUntilCut = undefined;
    this.cut();
    return true;
  }

  #breakAll(): void {
    for (const pair of this.#pairs) this.#break(pair);
  }

  #break(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.up.clear();
    pair.down.clear();
    reset(pair.client);
    pair.server.destroy();
  }
}

/** Node cannot reset a socket whose end is on its way: its handle would never close, and the process never exit. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/** Listens on a port of its own and hands every connection on to the target port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(targetPort);
  await proxy.listen();
  return proxy;
}
