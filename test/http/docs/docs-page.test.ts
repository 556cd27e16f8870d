import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { createOperations } from '../../../src/http/openapi/operations.ts';
import { startBrowser } from '../../support/browser.ts';
import { type LedgerService, startLedgerService } from '../../support/ledger-service.ts';
import { lackOf } from '../../support/needs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { testUnless } from '../../support/test-unless.ts';
import { testHttpLimits } from '../http-fixture.ts';

const operations = createOperations(testHttpLimits.pageSizeMax);

/* The documentation page in a real browser, where one is installed. */

const testInBrowser = testUnless(lackOf('chromium'));

testInBrowser('the page shows every operation, and asks nothing of any other host', async (t) => {
  const { page, service, asked, complaints } = await openPage(t);

  await page
    .locator('.opblock')
    .nth(operations.length - 1)
    .waitFor();

  const shown = await page.locator('.opblock-summary-path').allInnerTexts();
  const paths = shown.map((text) => text.replaceAll('\u200b', '').trim());
  t.deepEqual(paths.sort(), operations.map(({ path }) => path).sort());
  t.deepEqual(complaints, []);
  t.true(asked.length >= 5, 'the page, its files and the document');
  t.deepEqual(
    asked.filter((url) => !url.startsWith(`${service.url}/`) && !url.startsWith('data:')),
    [],
  );
});

testInBrowser('an operation can be tried out in the page', async (t) => {
  const { page, service, complaints } = await openPage(t);
  await service.set('foo', '3.55');
  const operation = page.locator('#operations-Prices-price');

  await operation.locator('.opblock-summary-control').click();
  await operation.locator('.try-out__btn').click();
  await operation.locator('tr[data-param-name="productId"] input').fill('foo');
  await operation.locator('.execute').click();
  const answer = operation.locator('.live-responses-table .highlight-code').first();
  await answer.waitFor();

  t.regex(await answer.innerText(), /"productId": "foo"[\s\S]*"price": 3\.55/);
  t.is(
    await operation.locator('.request-url pre').innerText(),
    `${service.url}/api/product/foo/price`,
  );
  t.deepEqual(complaints, []);
});

test('the page is kept from scripts, styles and hosts of others, and from frames', async (t) => {
  const service = await startLedgerService(t, await temporaryDirectory(t));

  const answer = await fetch(`${service.url}/docs`);

  t.is(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  t.is(
    answer.headers.get('content-security-policy'),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
  );
});

interface OpenedPage {
  readonly page: Page;
  readonly service: LedgerService;
  /** Every address that the page asked for. */
  readonly asked: readonly string[];
  /** Errors and warnings in the console, errors of scripts, and what failed to load. */
  readonly complaints: readonly string[];
}

/** The page in a browser of its own. */
async function openPage(t: ExecutionContext): Promise<OpenedPage> {
  const browser = await startBrowser(t);
  const service = await startLedgerService(t, await temporaryDirectory(t));
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => {
    const isComplaint = ['error', 'warning'].includes(message.type());
    if (isComplaint) complaints.push(`${message.type()}: ${message.text()}`);
  });
  await page.goto(`${service.url}/docs`);
  return { page, service, asked, complaints };
}
