// A buyer at one process who asks again and again under one key, during a fault and after it, and whose requests are
// part of the history like everybody's.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs, SLOWNESS } from '@floodgate/core/testing/patience.ts';
import type { Request } from './checker/history.ts';
import { wireOf } from './load.ts';
import type { ServerProcess } from './server-process.ts';
import type { SharedShop } from './shared-shop.ts';
import { bodyOf } from './workload.ts';

/** Of the history; no client of the workload has such a number. */
const CLIENT = 1_000;
const PAUSE_MS = 50;
/** After a fault is over, a sale must succeed at every process: connecting again is tried each second. */
const SELLS_WITHIN_MS = patienceMs(2_000);
/** A COMMIT that got no answer is looked up for eleven seconds and a half before its buyer is told. */
const TIMEOUT_MS = patienceMs(12_000);
/** A process notices by then that its database is away. */
const NOTICED_WITHIN_MS = patienceMs(9_000);
/** Far less than the wait for a database that does not answer. */
const AT_ONCE_MS = 300 * SLOWNESS;

interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
}

export class Probe {
  readonly #shop: SharedShop;
  readonly #process: ServerProcess;
  readonly #request: Request;
  /** Attempts that may still be waiting for their answers. */
  readonly #asked: Promise<Told>[] = [];

  constructor(shop: SharedShop, process: ServerProcess, name: string) {
    this.#shop = shop;
    this.#process = process;
    const opId = `probe-${name}`;
    const [eventId] = shop.onSale;
    const body = bodyOf('buy', opId, 1, 'ga');
    this.#request = { kind: 'buy', eventId: eventId!, opId, keyed: true, quantity: 1, holdId: null, body };
  }

  /** Asks until it is granted, or refused for good. Fails when that never comes. */
  async sells(): Promise<void> {
    const startMs = performance.now();
    await Promise.all(this.#asked);
    for (;;) {
      const { status } = await this.#ask();
      if (status === 201 || status === 409) return;
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < SELLS_WITHIN_MS, `no sale ${tookMs} ms after the fault`);
      await sleep(PAUSE_MS);
    }
  }

  /**
   * While the database is away: asks until it is told at once to come back later. Who asked before the process
   * noticed may wait a moment longer, but is granted nothing either.
   */
  async isTurnedAway(): Promise<void> {
    const startMs = performance.now();
    for (;;) {
      const asked = this.#ask();
      this.#asked.push(asked);
      const told = await Promise.race([asked, sleep(AT_ONCE_MS)]);
      if (told) {
        assert.equal(told.status, 503, 'answered while the database was away');
        assert.match(told.retryAfter ?? '', /^[1-9]\d*$/, 'Retry-After');
        return;
      }
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs < NOTICED_WITHIN_MS, `not turned away after ${tookMs} ms`);
    }
  }

  /** One attempt. Status 0 when no answer came. */
  async #ask(): Promise<Told> {
    const { log } = this.#shop;
    const { method, path, headers, body } = wireOf(this.#request);
    const call = log.invoke(CLIENT, this.#request);
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const url = `http://127.0.0.1:${this.#process.port}${path}`;
      const response = await fetch(url, { method, headers, body, signal });
      log.answer(call, response.status, await response.text());
      return { status: response.status, retryAfter: response.headers.get('retry-after') };
    } catch (error) {
      log.lose(call, String(error));
      return { status: 0, retryAfter: null };
    }
  }
}
