// The API reference in a real browser: all of it from this server, and a request can be tried.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { allOperations } from '../../src/http/doors/doors.ts';
import { openPage } from '../kit/browser.ts';
import { needsServer } from '../kit/servers/binaries.ts';
import { openTestShop, type TestShop } from '../kit/test-shop.ts';

const none = undefined as never;
const LOADS_WITHIN_MS = patienceMs(20_000);

describe('the API reference', { timeout: patienceMs(60_000), ...needsServer('chromium') }, () => {
  let shop: TestShop;
  before(async () => {
    shop = await openTestShop();
  });
  after(() => shop?.close());

  test('[B9] it shows every operation, asks no other origin, and breaks no rule of its own policy', async (t) => {
    const origin = `http://127.0.0.1:${shop.port}`;
    const { page, foreign, faults } = await openPage(t, origin);
    await page.goto(`${origin}/docs`);
    await page.waitForSelector('.opblock', { timeout: LOADS_WITHIN_MS });
    assert.equal(await page.locator('.opblock').count(), allOperations(none, none).length);
    assert.deepEqual(foreign, []);
    assert.deepEqual(faults, []);
  });

  test('[B9] a request that is tried there is sent, and its answer shown', async (t) => {
    const origin = `http://127.0.0.1:${shop.port}`;
    const { page, foreign, faults } = await openPage(t, origin);
    page.setDefaultTimeout(LOADS_WITHIN_MS);
    await page.goto(`${origin}/docs#/Buying/buy`);
    const block = page.locator('#operations-Buying-buy');
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByPlaceholder('eventId').fill('1');
    await block.getByRole('button', { name: 'Execute' }).click();
    const answer = block.locator('.live-responses-table .response');
    await answer.locator('.response-col_status', { hasText: '201' }).waitFor();
    assert.match((await answer.textContent()) ?? '', /"orderId": "\d+"/);
    assert.deepEqual([foreign, faults], [[], []]);
  });

  test('only the files of the page are served from its folder', async () => {
    for (const name of ['package.json', '..%2fpackage.json', '%2e%2e', 'constructor', 'swagger-ui.js.map']) {
      const reply = await fetch(`http://127.0.0.1:${shop.port}/docs/${name}`);
      assert.equal(reply.status, 404, name);
    }
  });
});
