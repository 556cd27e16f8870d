import type { IncomingMessage } from 'node:http';
import type { Client } from '../../access/client.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import type { RepriceResult } from '../../ledger/reprice.ts';
import type { ProductId } from '../../model/product-id.ts';
import { requireProduct } from '../access/require-access.ts';
import { parseIdempotencyKey } from '../input/idempotency-key.ts';
import { presentDraft, presentReceipt, presentUnchanged } from '../read/present-receipt.ts';
import { type Answer, jsonMediaType } from '../server/answer.ts';
import type { RequestReprices } from '../server/request-tally.ts';
import { parsePreconditions } from './preconditions.ts';
import { parsePriceUpdate } from './price-update-body.ts';
import { parseRepriceParameters } from './reprice-parameters.ts';
import { RepriceTally } from './reprice-tally.ts';

/** A request to record a price. */
export interface RepriceRequest {
  readonly request: Pick<IncomingMessage, 'headers' | 'rawHeaders'>;
  readonly path: string;
  readonly queryString: string;
  /** The bytes of its body, undefined for none. */
  readonly body: unknown;
  readonly client: Client;
}

export interface RepriceAnswer extends Answer {
  readonly reprices: RequestReprices;
}

/** Has a price recorded, and gives the answer to the request for it once the record is on disk. */
export async function answerReprice(
  { request, path, queryString, body, client }: RepriceRequest,
  ledger: Pick<PriceLedger, 'reprice'>,
): Promise<RepriceAnswer> {
  const { update, terms } = parsePriceUpdate(body);
  const { productId } = update;
  requireProduct(client, productId);
  const idempotencyKey = parseIdempotencyKey(request);
  const signed = {
    ...update,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(client.name !== undefined && { actor: client.name }),
  };
  const result = await ledger.reprice(signed, {
    ...terms,
    ...parseRepriceParameters(queryString),
    ...parsePreconditions(request.headers),
  });
  // The client may have a gateway before it that knows one of the two only.
  const base = path.startsWith('/api/v1/') ? '/api/v1' : '/api';
  const location = `${base}/product/${encodeURIComponent(productId)}/price`;
  const reprices = new RepriceTally();
  reprices.add({ result });
  return { ...answerOf(result, productId, location, request), reprices };
}

function answerOf(
  result: RepriceResult,
  productId: ProductId,
  location: string,
  request: Pick<IncomingMessage, 'headers'>,
): Answer {
  switch (result.kind) {
    case 'recorded':
      return recordedAnswer(result, location, request);
    case 'unchanged': {
      const headers = { Location: location, ETag: `"${result.head.version}"`, ...json };
      return { status: 200, headers, body: presentUnchanged(productId, result.head) };
    }
    case 'dry run': {
      const headers = { Location: location, ...json };
      return { status: 200, headers, body: presentDraft(result.draft) };
    }
  }
}

function recordedAnswer(
  { receipt, isReplayed }: Extract<RepriceResult, { kind: 'recorded' }>,
  location: string,
  { headers: { prefer = '' } }: Pick<IncomingMessage, 'headers'>,
): Answer {
  const { version, seq } = receipt.record;
  const headers = {
    Location: location,
    ETag: `"${version}"`,
    'Repricer-Seq': String(seq),
    ...(isReplayed && { 'Idempotent-Replayed': 'true' }),
  };
  if (!prefersRepresentation.test(String(prefer))) {
    return { status: 202, headers, body: undefined };
  }
  return {
    status: 202,
    headers: { ...headers, 'Preference-Applied': 'return=representation', ...json },
    body: presentReceipt(receipt),
  };
}

const json = { 'Content-Type': jsonMediaType };

/** RFC 7240: preferences stand in a list, and a value may be quoted. */
const prefersRepresentation =
  /(?:^|,)[ \t]*return[ \t]*=[ \t]*("?)representation\1[ \t]*(?:[,;]|$)/i;
