// Makes every read a method, without a line for each: a class that extends one of these says once how reads are
// answered, by their name.
import type { LedgerReads } from './ledger.ts';
import { READS, type Read, type ReadDialect, type ReadName } from './reads.ts';

abstract class Reading {
  protected abstract answer(name: ReadName, asked: readonly unknown[]): unknown;

  static {
    for (const name of Object.keys(READS) as ReadName[]) {
      Object.defineProperty(Reading.prototype, name, {
        value(this: Reading, ...asked: readonly unknown[]) {
          return this.answer(name, asked);
        },
      });
    }
  }
}

/** What the reads answer, at once. */
export type ReadsAtOnce = {
  readonly [M in ReadName]: (...asked: Parameters<LedgerReads[M]>) => Awaited<ReturnType<LedgerReads[M]>>;
};

/** The ledger's reads, each a call of `answer`. */
export const ReadingLater = Reading as abstract new () => Reading & LedgerReads;
export const ReadingAtOnce = Reading as abstract new () => Reading & ReadsAtOnce;

/** A read that was asked for by name, without its types: what carries it out knows no read from another. */
export interface AnyRead {
  readonly currency:
    | 'now'
    | 'soon'
    | 'lagging'
    | ((...asked: readonly unknown[]) => 'now' | 'soon' | 'lagging');
  readonly inOneView?: true;
  read?(db: ReadDialect, ...asked: readonly unknown[]): Read<unknown>;
  ofEvent?(db: ReadDialect, eventNo: number, ...asked: readonly unknown[]): Read<unknown>;
  ofUnknown?(eventId: unknown): unknown;
}

export function readNamed(name: ReadName): AnyRead {
  return READS[name] as unknown as AnyRead;
}
