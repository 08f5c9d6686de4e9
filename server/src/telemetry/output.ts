// Standard output as the log needs it: nobody ever waits for its reader, and nothing fails because of it. A reader
// that stands still, a full disk under the file, a pipe whose end has gone: selling goes on, lines are lost.
import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What nobody has read yet is kept up to this size; later lines are lost. */
const MAX_KEPT_BYTES = 16_777_216;
/** A full pipe is tried again after a millisecond, as a busy reader needs, then later and later. */
const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 64;
/** Before the end, a reader that stands still is waited for this long. */
const LAST_WORDS_MS = 1_000;

export class Output {
  readonly #fd: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #isWriting = false;
  #retryMs = FIRST_RETRY_MS;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(text: string): void {
    if (this.#keptBytes > MAX_KEPT_BYTES) return;
    const bytes = Buffer.from(text);
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (!this.#isWriting) this.#writeFirst();
  }

  /** Resolves when all is written, or nobody has taken it for a second. */
  async flush(): Promise<void> {
    const giveUpAtMs = performance.now() + LAST_WORDS_MS;
    while (this.#keptBytes > 0 && performance.now() < giveUpAtMs) await sleep(1);
  }

  // In a thread, because a disk that is busy with the ledger can make a write to a file wait.
  #writeFirst(): void {
    this.#isWriting = true;
    write(this.#fd, this.#kept[0]!, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeFirst(), this.#retryMs).unref();
        this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
        return;
      }
      this.#retryMs = FIRST_RETRY_MS;
      if (error) this.#forget();
      else this.#take(written);
      this.#isWriting = false;
      if (this.#kept.length > 0) this.#writeFirst();
    });
  }

  #take(written: number): void {
    const rest = this.#kept[0]!.subarray(written);
    this.#keptBytes -= written;
    if (rest.length > 0) this.#kept[0] = rest;
    else this.#kept.shift();
  }

  /** What cannot be written now is lost: trying the same bytes for ever would lose all that comes after. */
  #forget(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }
}
