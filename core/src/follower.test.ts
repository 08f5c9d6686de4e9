import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Follower, type Numbered } from './follower.ts';

/** A list that grows, and what its follower has been given. */
class List {
  items: Numbered[] = [];
  readonly given: number[] = [];
  reads = 0;
  /** Runs while a read is under way, after the page was chosen. */
  meanwhile = async (): Promise<void> => {};
  beforeApply = (): void => {};

  constructor(length: number) {
    this.grow(length);
  }

  grow(by: number): void {
    for (let more = 0; more < by; more++) this.items.push({ seq: this.items.length + 1 });
  }

  follow(afterSeq = 0, pageSize = 3): Follower<Numbered> {
    return new Follower(afterSeq, {
      pageSize,
      read: async (after, limit) => {
        this.reads++;
        const page = this.items.filter(({ seq }) => seq > after).slice(0, limit);
        await this.meanwhile();
        return page;
      },
      apply: (items) => {
        this.beforeApply();
        this.given.push(...items.map(({ seq }) => seq));
      },
    });
  }
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

describe('a follower', () => {
  test('[S11] hands on everything after its cursor, once and in order, page by page', async () => {
    const list = new List(7);
    const follower = list.follow(1);
    assert.equal(await follower.read(), true);
    assert.deepEqual([list.given, follower.seq, list.reads], [upTo(7, 2), 7, 3]);
    list.grow(2);
    await follower.read();
    assert.deepEqual([list.given, follower.seq], [upTo(9, 2), 9]);
  });

  test('[S11] several items of one number belong together, a gap is an error, and so is what was seen before', async () => {
    const list = new List(2);
    list.items.push({ seq: 2 }, { seq: 3 });
    const follower = list.follow(0, 10);
    await follower.read();
    assert.deepEqual(list.given, [1, 2, 2, 3]);
    list.items.push({ seq: 5 });
    await assert.rejects(follower.read(), /5 follows 3/);
    assert.deepEqual([list.given, follower.seq], [[1, 2, 2, 3], 3]);
    const again = new Follower(3, { read: async () => [{ seq: 3 }], apply: () => {}, pageSize: 2 });
    await assert.rejects(again.read(), /3 follows 3/);
  });

  test('[S11] all who ask at once share one read, and nothing is handed on twice', async () => {
    const list = new List(5);
    const follower = list.follow(0, 10);
    await Promise.all([follower.read(), follower.read(), follower.read()]);
    assert.deepEqual([list.given, list.reads], [upTo(5), 1]);
  });

  test('[S11] catching up sees what was there before the call, also when a read under way looked too early', async () => {
    const list = new List(1);
    const follower = list.follow(0, 10);
    const early = follower.read();
    list.grow(1);
    await Promise.all([follower.catchUp(), follower.catchUp()]);
    await early;
    assert.deepEqual([list.given, list.reads], [[1, 2], 2]);
  });

  test('[S11] what could not be handed on is read again', async () => {
    const list = new List(4);
    const follower = list.follow();
    list.beforeApply = () => {
      if (list.given.length > 0) throw new Error('the disk is full');
    };
    await assert.rejects(follower.read(), /the disk is full/);
    assert.deepEqual([list.given, follower.seq], [upTo(3), 3]);
    list.beforeApply = () => {};
    await follower.read();
    assert.deepEqual(list.given, upTo(4));
  });

  test('a page that was read before the follower was put elsewhere is handed on to nobody', async () => {
    const list = new List(4);
    const follower = list.follow(0, 10);
    list.meanwhile = async () => {
      list.meanwhile = async () => {};
      follower.moveTo(2);
    };
    assert.equal(await follower.read(), true);
    assert.deepEqual([list.given, follower.seq], [[3, 4], 4]);
  });

  test('once stopped it hands on nothing, not even what is being read', async () => {
    const list = new List(4);
    const follower = list.follow();
    list.meanwhile = async () => follower.stop();
    assert.equal(await follower.read(), false);
    assert.equal(await follower.read(), false);
    await follower.settled();
    assert.deepEqual([list.given, list.reads], [[], 1]);
  });

  test('a reader that is too far behind is told so after as many pages as it wants to read', async () => {
    const list = new List(10);
    const follower = list.follow();
    assert.equal(await follower.read(2), false);
    assert.deepEqual([list.given, follower.seq], [upTo(6), 6]);
    assert.equal(await follower.read(2), true);
    assert.deepEqual(list.given, upTo(10));
  });
});
