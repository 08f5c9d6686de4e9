// Ids of one source only grow, whatever the clock does; names and numbers from outside are read strictly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  eventId,
  holdId,
  ID_EPOCH_MS,
  IdSource,
  idTimeMs,
  MAX_NODE_ID,
  orderId,
  ticketTypeId,
} from './ids.ts';

const NOW_MS = ID_EPOCH_MS + 86_400_000;

function assertGrowing(ids: readonly string[]): void {
  for (let i = 1; i < ids.length; i++) {
    assert.ok(BigInt(ids[i]!) > BigInt(ids[i - 1]!), `${ids[i]} after ${ids[i - 1]}`);
  }
}

test('[D6] ids grow whatever the clock does: stand still, jump back, jump ahead, or run before the epoch', () => {
  const clock = fc.array(fc.integer({ min: ID_EPOCH_MS - 10_000, max: ID_EPOCH_MS + 2 ** 40 }), {
    minLength: 2,
    maxLength: 200,
  });
  fc.assert(
    fc.property(clock, fc.integer({ min: 0, max: MAX_NODE_ID }), (timesMs, nodeId) => {
      const source = new IdSource(nodeId);
      assertGrowing(timesMs.map((timeMs) => source.next(timeMs)));
    }),
  );
});

test('[D6] ten thousand ids in one millisecond are all different, and borrow at most two milliseconds', () => {
  const source = new IdSource(7);
  const ids = Array.from({ length: 10_000 }, () => source.next(NOW_MS));
  assertGrowing(ids);
  assert.equal(idTimeMs(ids[4_095]!), NOW_MS);
  assert.equal(idTimeMs(ids[4_096]!), NOW_MS + 1);
  assert.equal(idTimeMs(ids.at(-1)!), NOW_MS + 2);
});

test('[D6] borrowed milliseconds are not used again when the clock reaches them', () => {
  const source = new IdSource(7);
  const burst = Array.from({ length: 5_000 }, () => source.next(NOW_MS));
  const after = Array.from({ length: 5_000 }, () => source.next(NOW_MS + 1));
  assertGrowing([...burst, ...after]);
});

test('[D6] sources with different node ids never make the same id', () => {
  const sources = [0, 1, 2, MAX_NODE_ID].map((nodeId) => new IdSource(nodeId));
  const ids = sources.flatMap((source) => Array.from({ length: 9_000 }, () => source.next(NOW_MS)));
  assert.equal(new Set(ids).size, ids.length);
});

test('[D6] an id holds its millisecond and fits 63 bits to the end of its epoch', () => {
  const lastMs = ID_EPOCH_MS + 2 ** 41 - 1;
  for (const timeMs of [ID_EPOCH_MS + 1, NOW_MS, lastMs]) {
    const id = new IdSource(MAX_NODE_ID).next(timeMs + 0.9);
    assert.equal(idTimeMs(id), timeMs);
    assert.equal(orderId(id), id);
  }
});

test('[D6] a node id that is not an integer from 0 to 1023 is refused', () => {
  for (const bad of [-1, MAX_NODE_ID + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new IdSource(bad), RangeError, String(bad));
  }
});

test('[D6] an order or hold id is a positive decimal of at most 63 bits, in its one spelling', () => {
  for (const read of [orderId, holdId]) {
    for (const good of ['1', '42', '9223372036854775807']) assert.equal(read(good), good);
    for (const bad of [
      '',
      '0',
      '-1',
      '+1',
      '01',
      '1.0',
      '1e3',
      ' 1',
      '1\n',
      '9223372036854775808',
      '99999999999999999999',
    ]) {
      assert.equal(read(bad), undefined, JSON.stringify(bad));
    }
  }
});

test('[A1] an event or ticket type may be named with letters, digits, _ and -, up to its length', () => {
  for (const [read, most] of [
    [eventId, 64],
    [ticketTypeId, 32],
  ] as const) {
    for (const good of ['1', 'rock-night', 'GA_2', '__proto__', 'x'.repeat(most)])
      assert.equal(read(good), good);
    for (const bad of ['', 'a b', 'a/b', 'é', 'a\n', 'a{b}', 'x'.repeat(most + 1)]) {
      assert.equal(read(bad), undefined, JSON.stringify(bad));
    }
  }
});
