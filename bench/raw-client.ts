// One keep-alive HTTP/1.1 connection without an HTTP library: a generator must cost less than what it measures.
// It has one request under way at a time, and understands only answers framed by Content-Length, which is what
// the server sends on the measured routes; anything else is an error, never a guess.
import { connect, type Socket } from 'node:net';

/** Where one answer ends in the bytes received so far, and its status. */
export interface Frame {
  readonly status: number;
  readonly lengthBytes: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) /;
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** The first whole answer in the bytes; undefined while it is incomplete. Throws when its end cannot be told. */
export function frameAnswer(bytes: Buffer): Frame | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = STATUS_LINE.exec(head)?.[1];
  const bodyBytes = CONTENT_LENGTH.exec(head)?.[1];
  if (status === undefined || bodyBytes === undefined) {
    throw new Error(`an answer without status or Content-Length: ${JSON.stringify(head.slice(0, 200))}`);
  }
  const lengthBytes = headEnd + HEAD_END.length + Number(bodyBytes);
  return bytes.length < lengthBytes ? undefined : { status: Number(status), lengthBytes };
}

/** What a connection tells its generator. */
export interface ConnectionListener {
  /** Connected: may send. */
  onReady(connection: RawConnection): void;
  /** The whole answer is here: may send again. */
  onAnswer(connection: RawConnection, status: number): void;
  /** Closed for good; `lost` when a request was under way. Comes once, also when the connection never stood. */
  onClose(connection: RawConnection, lost: boolean): void;
}

// One answer of the measured routes is well under 1 KiB; longer ones are put together from pieces.
const RECEIVE_BYTES = 4 * 1024;

/** A connection to a port of this machine. */
export class RawConnection {
  /** Free for the generator: which request is under way. */
  request = -1;
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  #waiting = false;
  #partial: Buffer | undefined;

  constructor(port: number, listener: ConnectionListener) {
    this.#listener = listener;
    const receive = { buffer: Buffer.allocUnsafe(RECEIVE_BYTES), callback: this.#receive.bind(this) };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: receive });
    this.#socket.on('connect', () => listener.onReady(this));
    // An error is always followed by 'close', which is where the generator hears of it.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      const lost = this.#waiting;
      this.#waiting = false;
      listener.onClose(this, lost);
    });
  }

  /** Sends the bytes of one request. The answer to the request before must be here. */
  send(request: Buffer): void {
    this.#waiting = true;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(byteCount: number, into: Uint8Array): boolean {
    const piece = Buffer.from(into.buffer, into.byteOffset, byteCount);
    // The receive buffer is used again for the next piece, so what is kept must be a copy: concat makes one.
    const bytes = this.#partial === undefined ? piece : Buffer.concat([this.#partial, piece]);
    const frame = this.#frame(bytes);
    if (frame === undefined) {
      this.#partial = bytes === piece ? Buffer.from(piece) : bytes;
    } else {
      this.#partial = undefined;
      this.#waiting = false;
      this.#listener.onAnswer(this, frame.status);
    }
    return true;
  }

  // An answer that makes no sense ends the connection and counts as a lost request.
  #frame(bytes: Buffer): Frame | undefined {
    try {
      const frame = frameAnswer(bytes);
      if (frame === undefined) return undefined;
      if (this.#waiting && frame.lengthBytes === bytes.length) return frame;
      throw new Error('more was answered than asked');
    } catch (error) {
      this.#waiting = true;
      this.#socket.destroy(error as Error);
      return undefined;
    }
  }
}

/** A request as text. `{n}` in the path or a header stays for the generator to fill in. */
export function requestText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
