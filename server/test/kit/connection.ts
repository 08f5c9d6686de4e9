// One HTTP/1.1 connection on a bare socket, one request at a time. A stampede of thousands needs connections that
// stand before the first request is sent, and a client light enough to share a small machine with the server.
import { connect, type Socket } from 'node:net';
import type { Reply } from './workload.ts';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_END = '\r\n\r\n';

export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  /** Connects to a port of this machine. */
  static open(port: number, timeoutMs: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket, timeoutMs));
      });
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open';
  }

  /** Rejects when the connection ends before the whole answer is here. */
  send({ method, path, headers, body }: WireRequest): Promise<Reply> {
    const fields = { Host: '127.0.0.1', ...headers, 'Content-Length': `${Buffer.byteLength(body)}` };
    const head = Object.entries(fields).map(([name, value]) => `\r\n${name}: ${value}`);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1${head.join('')}${HEAD_END}${body}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(piece: Buffer): void {
    this.#received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    const headBytes = this.#received.indexOf(HEAD_END);
    if (headBytes === -1) return;
    const head = this.#received.toString('latin1', 0, headBytes);
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    if (status === undefined || length === undefined) {
      this.#socket.destroy(new Error(`an answer without status or length: ${head}`));
      return;
    }
    const bodyStart = headBytes + HEAD_END.length;
    const end = bodyStart + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.toString('utf8', bodyStart, end);
    this.#received = this.#received.subarray(end);
    this.#waiting?.resolve({ status: Number(status), body });
    this.#waiting = undefined;
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
