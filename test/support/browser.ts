import type { ExecutionContext } from 'ava';
import { type Browser, chromium } from 'playwright-core';
import { chromiumPath } from './needs.ts';

/** A real browser with a new profile, until the test ends. */
export async function startBrowser(t: ExecutionContext): Promise<Browser> {
  // Playwright starts it with a new profile; it must not look for anything outside.
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}
