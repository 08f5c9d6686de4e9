// Stands between a ledger and its real server, hands every byte on, and says which statements went by. On the wire,
// because that is what the server sees, however the ledger or its driver comes to send it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Is told of each statement, and of those that are only prepared. */
export interface Listener {
  sent(text: string, values: readonly unknown[]): void;
  prepared(text: string): void;
}

/** Reads what one connection sends to the server, piece by piece. */
type Reader = (bytes: Buffer) => void;

export class WireTap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(url: string, reader: () => Reader) {
    const { hostname, port } = new URL(url);
    this.#server = createServer((client) => {
      const read = reader();
      const server = connect(Number(port), hostname);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('data', (bytes: Buffer) => {
          if (socket === client) read(bytes);
          other.write(bytes);
        });
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.end();
        });
      }
    });
  }

  /** The URL, by way of the tap. */
  async listen(url: string): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** PostgreSQL: a type, a length and a body; only the very first message has no type. */
export function postgresReader(listener: Listener): Reader {
  const prepared = new Map<string, string>();
  let rest = Buffer.alloc(0);
  let hasStarted = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const head = hasStarted ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readInt32BE(head);
      if (rest.length < end) return;
      const body = new Body(rest.subarray(head + 4, end));
      const type = hasStarted ? String.fromCharCode(rest[0]!) : 'start';
      rest = rest.subarray(end);
      hasStarted = true;
      if (type === 'Q') for (const text of statementsOf(body.text())) listener.sent(text, []);
      if (type === 'P') {
        const [name, text] = [body.text(), body.text()];
        prepared.set(name, text);
        if (name !== '') listener.prepared(text);
      }
      if (type === 'B') {
        body.text();
        const text = prepared.get(body.text())!;
        for (let formats = body.int16(); formats > 0; formats--) body.int16();
        const values = Array.from({ length: body.int16() }, () => body.value());
        listener.sent(text, values);
      }
    }
  };
}

class Body {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  value(): string | null {
    const length = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    if (length < 0) return null;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}

const COM_QUERY = 3;

/** MySQL: a length of three bytes, a number in the exchange, a body; a command is number 0. */
export function mysqlReader(listener: Listener): Reader {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      if (rest.length < 4) return;
      const end = 4 + rest.readUIntLE(0, 3);
      if (rest.length < end) return;
      const [isCommand, body] = [rest[3] === 0, rest.subarray(4, end)];
      rest = rest.subarray(end);
      if (!isCommand || body[0] !== COM_QUERY) continue;
      for (const statement of statementsOf(body.toString('utf8', 1))) {
        const { text, values } = withoutLiterals(statement);
        listener.sent(text, values);
      }
    }
  };
}

/** The statements of one text: none of ours has a semicolon inside quotes. */
function statementsOf(text: string): string[] {
  return text.split(';').filter((statement) => statement.trim() !== '');
}

/** A text in hexadecimal digits, a list of rows for JSON_TABLE, another text (which stays), a number, a NULL to store. */
const LITERAL = /x'([0-9a-f]*)'|'(\[[^']*\])'|'[^']*'|\b\d+\b|(?<=[(,]\s*)NULL(?=\s*[,)])/g;

/**
 * A statement of a batch or a read with `?` for its values, of which MySQL's are all literals. Of a list of rows one is
 * shown: how many there are differs from batch to batch, and is in the values.
 */
function withoutLiterals(statement: string): { text: string; values: unknown[] } {
  if (!/^\s*(SELECT|INSERT|UPDATE|DELETE)\b/.test(statement)) return { text: statement, values: [] };
  const values: unknown[] = [];
  const text = statement
    .replace(LITERAL, (found, hex: string | undefined, list: string | undefined) => {
      if (found.startsWith("'") && list === undefined) return found;
      values.push(hex === undefined ? (list ?? found) : Buffer.from(hex, 'hex').toString('utf8'));
      return '?';
    })
    .replace(/\s*,\s*/g, ', ')
    .replace(/(VALUES |IN \()(\([^()]*\))(, \2)*/g, '$1$2, …')
    .replace(/IN \(((?:_utf8mb4 )?\?)(, \1)+\)/g, 'IN ($1, …)');
  return { text, values };
}
