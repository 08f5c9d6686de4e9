// HTTP as bytes on a socket, for what no proper client would send: half requests, several at once, none at all.
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection. What comes back is gathered from the start. */
export class RawConnection {
  readonly socket: Socket;
  readonly #openedMs = performance.now();
  readonly #closed: Promise<number>;
  /** What ended the connection, when that was no orderly end. */
  faultCode: string | undefined;
  #received: Buffer = Buffer.alloc(0);
  #wake = (): void => {};

  /** Connects to a port of this machine. A reset is no error here, it is an end like others. */
  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.faultCode = error.code;
    });
    this.socket.on('data', (piece: Buffer) => {
      this.#received = Buffer.concat([this.#received, piece]);
      this.#wake();
    });
    this.socket.on('end', () => this.socket.end());
    this.#closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        resolve(performance.now() - this.#openedMs);
        this.#wake();
      });
    });
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Forgets what came so far. */
  forget(): void {
    this.#received = Buffer.alloc(0);
  }

  /** Everything that came, as Latin-1. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  /** The first answers that came whole; resolves when there are `count`, or the connection has ended. */
  async answers(count: number, haveBodies = true): Promise<RawAnswer[]> {
    for (;;) {
      const answers = parseAnswers(this.#received, haveBodies);
      if (answers.length >= count || this.socket.destroyed) return answers;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The only answer. Throws when the connection ended without one. */
  async answer(hasBody = true): Promise<RawAnswer> {
    const [answer] = await this.answers(1, hasBody);
    if (answer === undefined) throw new Error(`the connection ended with: ${JSON.stringify(this.text)}`);
    return answer;
  }

  /** Resolves when the connection has ended, with the milliseconds it lived. */
  closed(): Promise<number> {
    return this.#closed;
  }
}

/** Sends a request on a connection of its own, waits for its answer, and hangs up. */
export async function exchange(port: number, request: string | Uint8Array): Promise<RawAnswer> {
  const connection = new RawConnection(port);
  connection.send(request);
  try {
    return await connection.answer(!request.toString().startsWith('HEAD '));
  } finally {
    connection.socket.destroy();
  }
}

/** A request as text. With a body it is JSON of its length, unless the headers say otherwise. */
export function requestText(
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Readonly<Record<string, string>>; body?: string } = {},
): string {
  const content = { 'Content-Type': 'application/json', 'Content-Length': `${Buffer.byteLength(body)}` };
  const fields = { Host: 'localhost', ...(body === '' ? {} : content), ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

function parseAnswers(received: Buffer, haveBodies: boolean): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let start = 0; ; ) {
    const headEnd = received.indexOf('\r\n\r\n', start);
    if (headEnd === -1) return answers;
    const [statusLine = '', ...lines] = received.toString('latin1', start, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new Error(`no answer begins with ${statusLine}`);
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    );
    const bodyStart = headEnd + 4;
    const bodyEnd = bodyStart + (haveBodies ? Number(headers['content-length'] ?? 0) : 0);
    if (received.length < bodyEnd) return answers;
    start = bodyEnd;
    // "100 Continue" announces the answer, it is none.
    if (status >= 200) answers.push({ status, headers, body: received.toString('utf8', bodyStart, bodyEnd) });
  }
}
