// Group commit on a store that commits when the test says so.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SLOWNESS } from '@floodgate/core/testing/patience.ts';
import { EventEntries } from './contract/test-entries.ts';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import type { Verdict } from './judge/state.ts';
import { type Entry, LedgerOutcomeUnknown, LedgerUnavailable } from './ledger.ts';

const entries = new EventEntries(1_000);
let lastTicket = 0;
const buy = () => entries.buy([++lastTicket]);

/** One batch that the store was given, to be ended by the test. */
interface Begun {
  readonly batch: Entry[];
  /** Commits all of it: the verdicts carry the entries' tickets. */
  commit(): void;
  end(verdicts: Verdict[]): void;
  fail(fault: Error): void;
}

class SlowStore {
  readonly begun: Begun[] = [];
  readonly commits: GroupCommit;

  constructor(options: Partial<GroupCommitOptions> = {}) {
    const begin = (batch: Entry[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<Verdict[]>();
      this.begun.push({ batch, commit: () => resolve(batch.map(granted)), end: resolve, fail: reject });
      return promise;
    };
    this.commits = new GroupCommit(begin, { maxBatch: 100, maxWaiting: 1_000, ...options });
  }

  get sizes(): number[] {
    return this.begun.map(({ batch }) => batch.length);
  }
}

function granted(entry: Entry): Verdict {
  assert.ok(entry.kind === 'buy');
  return { status: 'committed', seq: 1, atMs: 0, tickets: entry.tickets, buyer: entry.buyer };
}

/** What the posts were refused with; undefined for those that were not. */
async function faultsOf(posts: Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(posts);
  return settled.map((post) => (post.status === 'rejected' ? post.reason : undefined));
}

describe('group commit', () => {
  test('[S4] what is posted in one turn is one batch, in its order, and each gets its own outcome', async () => {
    const { commits, begun } = new SlowStore();
    const posts = [buy(), buy(), buy()];
    const outcomes = posts.map((entry) => commits.post(entry));
    assert.equal(begun.length, 0);
    await turn();
    assert.deepEqual([begun.length, begun[0]!.batch], [1, posts]);
    begun[0]!.commit();
    for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
      assert.deepEqual(outcome, granted(posts[index]!));
    }
  });

  test('[S4] what is posted while a batch commits is the next batch, begun before the first is answered', async () => {
    const store = new SlowStore();
    const { commits, begun } = store;
    const first = commits.post(buy());
    await turn();
    const later = [];
    for (let i = 0; i < 5; i++) {
      later.push(commits.post(buy()));
      await turn();
    }
    assert.deepEqual([store.sizes, commits.waiting], [[1], 5]);
    let begunWhenAnswered: number[] = [];
    const answered = first.then(() => {
      begunWhenAnswered = store.sizes;
    });
    begun[0]!.commit();
    await answered;
    assert.deepEqual([begunWhenAnswered, commits.waiting], [[1, 5], 0]);
    begun[1]!.commit();
    await Promise.all(later);
  });

  test('[S4] startAt entries make an idle ledger begin within the turn; a busy one begins when it can', async () => {
    const store = new SlowStore({ startAt: 3 });
    const { commits, begun } = store;
    const posts = [commits.post(buy()), commits.post(buy())];
    assert.deepEqual(store.sizes, []);
    for (let i = 0; i < 4; i++) posts.push(commits.post(buy()));
    assert.deepEqual([store.sizes, commits.waiting], [[3], 3]);
    await turn();
    assert.deepEqual([store.sizes, commits.waiting], [[3], 3]);
    begun[0]!.commit();
    await turn();
    begun[1]!.commit();
    await Promise.all(posts);
    posts.push(commits.post(buy()));
    await turn();
    begun[2]!.commit();
    await Promise.all(posts);
    assert.deepEqual(store.sizes, [3, 3, 1]);
  });

  test('[S4] a batch has at most maxBatch entries; the rest follow at once, in their order', async () => {
    const store = new SlowStore({ maxBatch: 4 });
    const posts = Array.from({ length: 10 }, buy);
    const outcomes = Promise.all(posts.map((entry) => store.commits.post(entry)));
    for (let batch = 0; batch < 3; batch++) {
      await turn();
      store.begun[batch]!.commit();
    }
    await outcomes;
    assert.deepEqual(store.sizes, [4, 4, 2]);
    assert.deepEqual(
      store.begun.flatMap(({ batch }) => batch),
      posts,
    );
  });

  test('[S4] at most maxWaiting entries wait; one more is refused at once and has no effect', async () => {
    const store = new SlowStore({ maxWaiting: 3 });
    const { commits, begun } = store;
    const first = commits.post(buy());
    await turn();
    const waiting = [buy(), buy(), buy()].map((entry) => commits.post(entry));
    await assert.rejects(
      commits.post(buy()),
      new LedgerUnavailable('too many sales are waiting for the ledger'),
    );
    begun[0]!.commit();
    await first;
    const next = commits.post(buy());
    begun[1]!.commit();
    await Promise.all(waiting);
    await turn();
    begun[2]!.commit();
    await next;
    assert.deepEqual(store.sizes, [1, 3, 1]);
  });

  test('[S4] a batch that fails is refused as a whole, and no other with it', async () => {
    const { commits, begun } = new SlowStore();
    const failing = [commits.post(buy()), commits.post(buy())];
    await turn();
    const next = commits.post(buy());
    assert.equal(commits.isWritable, true);
    const fault = new LedgerUnavailable('the disk is full');
    begun[0]!.fail(fault);
    assert.deepEqual(await faultsOf(failing), [fault, fault]);
    assert.equal(commits.isWritable, false);
    begun[1]!.commit();
    assert.equal((await next).status, 'committed');
    assert.equal(commits.isWritable, true);
  });

  test('[S4] a fault that does not say how far it came leaves the outcome unknown', async () => {
    for (const fault of [new TypeError('x is not a function'), new LedgerOutcomeUnknown('fsync failed')]) {
      const { commits, begun } = new SlowStore();
      const post = commits.post(buy());
      await turn();
      begun[0]!.fail(fault);
      await assert.rejects(post, { name: 'LedgerOutcomeUnknown', message: fault.message });
    }
  });

  test('[S4] a store that answers fewer verdicts than entries leaves all their outcomes unknown', async () => {
    const { commits, begun } = new SlowStore();
    const posts = [buy(), buy()];
    const outcomes = posts.map((entry) => commits.post(entry));
    await turn();
    begun[0]!.end(posts.slice(1).map(granted));
    const names = (await faultsOf(outcomes)).map((fault) => (fault as Error).name);
    assert.deepEqual(names, ['LedgerOutcomeUnknown', 'LedgerOutcomeUnknown']);
  });

  test('[S4] a store that throws before it begins blocks nobody', async () => {
    const fault = new LedgerUnavailable('not connected');
    const begin = () => {
      throw fault;
    };
    const commits = new GroupCommit(begin, { maxBatch: 2, maxWaiting: 10 });
    for (let round = 0; round < 2; round++) {
      const posts = [buy(), buy(), buy()].map((entry) => commits.post(entry));
      assert.deepEqual(await faultsOf(posts), [fault, fault, fault]);
    }
    await commits.close();
  });

  test('[S3] a broken entry fails alone, as a broken invariant', async () => {
    const { commits, begun } = new SlowStore();
    const [broken, sound] = [commits.post(buy()), commits.post(buy())];
    await turn();
    begun[0]!.end([{ status: 'broken', message: 'no such ticket' }, granted(begun[0]!.batch[1]!)]);
    await assert.rejects(broken, new Error('broken invariant: no such ticket'));
    assert.equal((await sound).status, 'committed');
    assert.equal(commits.isWritable, true);
  });

  test('[S4] with a depth of two the next batch is handed over before the first is durable, when worth it', async () => {
    const store = new SlowStore({ depth: 2, startAt: 2 });
    const { commits, begun } = store;
    const posts = [buy(), buy(), buy()].map((entry) => commits.post(entry));
    assert.deepEqual(store.sizes, [2], 'two are worth a batch at once, one more is not');
    posts.push(commits.post(buy()));
    assert.deepEqual(store.sizes, [2, 2]);
    posts.push(...[buy(), buy(), buy()].map((entry) => commits.post(entry)));
    await turn();
    assert.deepEqual(store.sizes, [2, 2], 'never more than two');
    begun[0]!.commit();
    await turn();
    assert.deepEqual(store.sizes, [2, 2, 3]);
    begun[1]!.fail(new LedgerUnavailable('the disk is full'));
    begun[2]!.commit();
    const refused = (await faultsOf(posts)).map((fault) => fault !== undefined);
    assert.deepEqual(refused, [false, false, true, true, false, false, false]);
    await commits.close();
  });

  test('[S4] a batch that starts early has a quarter of all that wait for an answer', async () => {
    const store = new SlowStore({ depth: 2, startAt: 1 });
    const { commits, begun } = store;
    const posts = [commits.post(buy())];
    await turn();
    posts.push(...Array.from({ length: 8 }, () => commits.post(buy())));
    begun[0]!.commit();
    await turn();
    assert.deepEqual(store.sizes, [1, 1, 7]);
    posts.push(...[buy(), buy(), buy()].map((entry) => commits.post(entry)));
    begun[1]!.commit();
    await turn();
    assert.deepEqual(store.sizes, [1, 1, 7, 3], 'three of ten are a quarter');
    for (const batch of begun) batch.commit();
    await Promise.all(posts);
    await commits.close();
  });

  test('[S4] closing finishes the batch under way and all that waits, and takes no more', async () => {
    const store = new SlowStore({ maxBatch: 2 });
    const { commits, begun } = store;
    const posts = [buy()].map((entry) => commits.post(entry));
    await turn();
    posts.push(...[buy(), buy(), buy()].map((entry) => commits.post(entry)));
    let isClosed = false;
    const closed = commits.close().then(() => {
      isClosed = true;
    });
    await assert.rejects(commits.post(buy()), new LedgerUnavailable('the ledger is closing'));
    for (let batch = 0; batch < 3; batch++) {
      await turn();
      assert.equal(isClosed, false);
      begun[batch]!.commit();
    }
    await closed;
    assert.deepEqual(store.sizes, [1, 2, 1]);
    for (const post of posts) assert.equal((await post).status, 'committed');
  });

  test('[S4] closing also commits what was posted in the same turn, and nothing when nothing was', async () => {
    const store = new SlowStore();
    const post = store.commits.post(buy());
    let isClosed = false;
    const closed = store.commits.close().then(() => {
      isClosed = true;
    });
    await turn();
    assert.equal(isClosed, false);
    store.begun[0]!.commit();
    await Promise.all([post, closed]);
    await turn();
    assert.deepEqual(store.sizes, [1]);
    await new SlowStore().commits.close();
  });

  test('[S4] after every batch its size, its time and what waits are told', async () => {
    const told: { size: number; waiting: number; ms: number }[] = [];
    const store = new SlowStore({ maxBatch: 2, onBatch: (batch) => told.push(batch) });
    const fault = new LedgerUnavailable('the disk is full');
    const posts = Array.from({ length: 5 }, () => store.commits.post(buy()));
    const faults = faultsOf(posts);
    await turn();
    store.begun[0]!.commit();
    await turn();
    store.begun[1]!.fail(fault);
    await turn();
    store.begun[2]!.commit();
    assert.deepEqual(await faults, [undefined, undefined, fault, fault, undefined]);
    await turn();
    const sizes = told.map(({ size, waiting }) => [size, waiting]);
    assert.deepEqual(sizes, [
      [2, 1],
      [2, 0],
      [1, 0],
    ]);
    for (const { ms } of told) assert.ok(ms >= 0);
  });

  test('[S4] what waited too long is refused and never committed; what is under way is not', async () => {
    const maxWaitMs = 80 * SLOWNESS;
    const { commits, begun } = new SlowStore({ maxWaitMs });
    const first = commits.post(buy());
    await turn();
    const late = [commits.post(buy()), commits.post(buy())];
    await new Promise((resolve) => setTimeout(resolve, maxWaitMs / 2));
    const inTime = commits.post(buy());
    for (const fault of await faultsOf(late)) assert.ok(fault instanceof LedgerUnavailable);
    assert.equal(commits.waiting, 1);
    begun[0]!.commit();
    await first;
    await turn();
    assert.deepEqual(
      begun.map(({ batch }) => batch.length),
      [1, 1],
    );
    begun[1]!.commit();
    assert.equal((await inTime).status, 'committed');
    await commits.close();
  });
});
