// The messages of PostgreSQL's extended query protocol that a pipeline sends (Parse, Bind, Execute, Sync), written
// into one buffer. The driver makes a buffer and a write of each, some twenty a batch: 1 µs more a sale.

const EXECUTE = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0]);
const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
const [PARSE, BIND] = [0x50, 0x42];

/** A buffer that grew beyond this is not kept. */
const KEPT_BYTES = 1_048_576;

/** Of one connection: the buffer is used again for its next messages, when these were answered. */
export class Messages {
  #buffer = Buffer.allocUnsafe(16_384);
  #length = 0;

  begin(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(16_384);
  }

  parse(name: string, sql: string): void {
    const start = this.#begin(PARSE, 16 + 3 * (name.length + sql.length));
    this.#cString(name);
    this.#cString(sql);
    this.#int16(0); // The server infers the types of the parameters.
    this.#end(start);
  }

  /** Parameters are text, and so are the columns of the rows. */
  bind(name: string, values: readonly (string | null)[]): void {
    const start = this.#begin(BIND, 32 + 3 * name.length);
    this.#cString('');
    this.#cString(name);
    this.#int16(0);
    this.#int16(values.length);
    for (const value of values) this.#value(value);
    this.#room(2);
    this.#int16(0);
    this.#end(start);
  }

  execute(): void {
    this.#copy(EXECUTE);
  }

  /** Ends the messages, and hands them over. */
  sync(): Buffer {
    this.#copy(SYNC);
    return this.#buffer.subarray(0, this.#length);
  }

  #begin(type: number, room: number): number {
    this.#room(room);
    this.#buffer[this.#length] = type;
    this.#length += 5;
    return this.#length - 4;
  }

  /** A message's length counts itself, not its type. */
  #end(start: number): void {
    this.#buffer.writeInt32BE(this.#length - start, start);
  }

  #value(value: string | null): void {
    // A character of UTF-16 is at most three bytes of UTF-8.
    this.#room(4 + 3 * (value?.length ?? 0));
    const written = value === null ? -1 : this.#buffer.write(value, this.#length + 4);
    this.#buffer.writeInt32BE(written, this.#length);
    this.#length += 4 + Math.max(written, 0);
  }

  #cString(text: string): void {
    this.#length += this.#buffer.write(text, this.#length);
    this.#buffer[this.#length++] = 0;
  }

  #int16(value: number): void {
    this.#length = this.#buffer.writeInt16BE(value, this.#length);
  }

  #copy(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#length += bytes.copy(this.#buffer, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
