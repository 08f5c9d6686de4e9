// A real browser for the tests of pages. It can be asked what a page asked of others, and what went wrong in it.
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { requireServer } from './servers/binaries.ts';

export interface OpenPage {
  readonly page: Page;
  /** Addresses of other origins that the page asked for. */
  readonly foreign: readonly string[];
  /** Errors of scripts, and what the console was told of faults: refused by a policy, not found. */
  readonly faults: readonly string[];
}

/** A page of this origin, closed with its browser at the test's end. */
export async function openPage(t: TestContext, origin: string): Promise<OpenPage> {
  const browser: Browser = await chromium.launch({
    executablePath: requireServer('chromium').binary,
    // Where tests run as root there is no sandbox to be had; the pages are our own.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const [foreign, faults]: [string[], string[]] = [[], []];
  page.on('request', (request) => {
    const { protocol, origin: of } = new URL(request.url());
    if (of !== origin && protocol !== 'data:' && protocol !== 'blob:') foreign.push(request.url());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  return { page, foreign, faults };
}
