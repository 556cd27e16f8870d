import { addAbortSignal } from 'node:stream';
import type { RouterContext, RouterMiddleware } from '@koa/router';
import { RepricerError } from '../../errors.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { PriceFilter } from '../../ledger/price-query.ts';
import type { PriceRecord } from '../../model/price-record.ts';
import { clientOf } from '../access/authenticate.ts';
import { clientStill, requireProducts } from '../access/require-access.ts';
import { acceptedType } from '../input/accepted-type.ts';
import { presentLinks, refuseUnlinkable } from './page-links.ts';
import { csvHeader, presentCsvRow } from './present-csv.ts';
import { presentPrice, presentPrices } from './present-price.ts';
import { parsePriceQuery, parseWholeRange } from './price-query-parameters.ts';
import { type StreamForm, streamRange } from './stream-range.ts';

const json = 'application/json';

const csv: StreamForm = { header: csvHeader, present: presentCsvRow };
const ndjson: StreamForm = { header: '', present: (record) => `${presentPrice(record)}\n` };

/** The media types of whole ranges. */
const streamForms: ReadonlyMap<string, StreamForm> = new Map([
  ['application/x-ndjson', ndjson],
  ['application/jsonl', ndjson],
  ['application/ndjson', ndjson],
  ['text/csv; charset=utf-8; header=present', csv],
]);

/**
 * GET /api/query: one page of the records in a range as JSON, or all of them in another form, as a
 * stream that is cut off when `streamsEnd` is aborted.
 */
export function queryPricesHandler(
  ledger: Pick<PriceLedger, 'query' | 'scan'>,
  pageSizeMax: number,
  streamsEnd?: AbortSignal,
): RouterMiddleware {
  return async function queryPrices(ctx) {
    ctx.vary('Accept');
    const accepted = acceptedType(ctx, json, ...streamForms.keys());
    if (accepted === undefined) {
      throw new RepricerError(
        'NOT_ACCEPTABLE',
        'This answers in application/json, and whole ranges in application/x-ndjson, application/jsonl, application/ndjson and text/csv.',
      );
    }
    const form = streamForms.get(accepted);
    if (form === undefined) await answerPage(ctx, ledger, pageSizeMax);
    else await answerRange(ctx, ledger, { mediaType: accepted, form, streamsEnd });
  };
}

async function answerPage(
  ctx: RouterContext,
  ledger: Pick<PriceLedger, 'query'>,
  pageSizeMax: number,
): Promise<void> {
  const { path, querystring } = ctx;
  const query = parsePriceQuery(querystring, pageSizeMax);
  refuseUnlinkable(path, querystring);
  requireProducts(clientOf(ctx), query.productIds);
  const page = await ledger.query(query);
  const links = presentLinks(path, querystring, query, page);
  if (links !== undefined) ctx.set('Link', links);
  ctx.set('Cache-Control', 'no-cache');
  ctx.type = 'json';
  ctx.body = presentPrices(page.records);
}

async function answerRange(
  ctx: RouterContext,
  ledger: Pick<PriceLedger, 'scan'>,
  { mediaType, form, streamsEnd }: RangeAnswer,
): Promise<void> {
  const filter = parseWholeRange(ctx.querystring);
  requireProducts(clientOf(ctx), filter.productIds);
  const blocks = whileAllowed(ctx, filter, ledger.scan(filter));
  const stream = await streamRange(blocks, form, (error) => {
    ctx.state.failure = error;
  });
  ctx.set('Content-Type', mediaType);
  if (form === csv) ctx.set('Content-Disposition', 'attachment; filename="prices.csv"');
  ctx.body = streamsEnd === undefined ? stream : addAbortSignal(streamsEnd, stream);
}

/** The blocks, as long as the client may read them: a slow reader's token may be withdrawn meanwhile. */
async function* whileAllowed(
  ctx: RouterContext,
  { productIds }: PriceFilter,
  blocks: AsyncIterable<readonly PriceRecord[]>,
): AsyncGenerator<readonly PriceRecord[], void, void> {
  for await (const block of blocks) {
    requireProducts(clientStill(ctx, 'read'), productIds);
    yield block;
  }
}

interface RangeAnswer {
  readonly mediaType: string;
  readonly form: StreamForm;
  readonly streamsEnd: AbortSignal | undefined;
}
