import { z } from 'zod';
import { ExactNumber } from '../../model/exact-json.ts';
import {
  isProductId,
  type ProductId,
  productIdCharactersMax,
  productIdProblem,
} from '../../model/product-id.ts';
import { checkedBy } from '../input/checked-by.ts';
import type { JsonSchema } from '../input/json-schema.ts';
import { parseJson } from '../input/parse-json.ts';
import { notAnObject, parseShape } from '../input/parse-shape.ts';
import { productIdSchema } from '../input/value-schemas.ts';

/** The most products that one request may name. */
const listedProductsMax = 1000;

const waitMsDefault = 45;
const waitMsMax = 10_000;

/** In UTF-8; a body that escapes characters as \u0000 may meet the bound with fewer long ids. */
const characterBytesMax = 4;
const quotesAndCommaBytes = 3;
const otherFieldsBytesMax = 1024;

/** As many products as may be named, with the longest ids, fit in this. */
export const priceListBodyBytesMax =
  listedProductsMax * (productIdCharactersMax * characterBytesMax + quotesAndCommaBytes) +
  otherFieldsBytesMax;

/** The products whose prices a client wants, each once, and how long it waits for the disk. */
export interface PriceListRequest {
  readonly productIds: readonly ProductId[];
  readonly waitMs: number;
}

/** The request in a body, or BAD_REQUEST with every rule that it breaks. */
export function parsePriceListRequest(bytes: unknown): PriceListRequest {
  const { productIds, waitMs } = parseShape(priceListBody, parseJson(bytes));
  return {
    productIds: [...new Set(productIds)],
    waitMs: waitMs === undefined ? waitMsDefault : Number(waitMs.text),
  };
}

const shortListSchema: JsonSchema = {
  type: 'array',
  items: productIdSchema,
  minItems: 1,
  maxItems: listedProductsMax,
  description: 'The products; one that is named twice is answered once.',
};

const waitMsSchema: JsonSchema = {
  type: 'integer',
  minimum: 0,
  maximum: waitMsMax,
  default: waitMsDefault,
  description:
    'How long to wait for prices that have to be read from disk, in milliseconds; without a fraction part.',
};

// The length comes first: an endless list must not become an endless list of problems.
export const priceListBody = z.strictObject(
  {
    productIds: checkedBy(isShortList, shortListProblem, shortListSchema).pipe(
      z.array(checkedBy(isProductId, productIdProblem, productIdSchema)),
    ),
    waitMs: z.exactOptional(checkedBy(isWaitMs, () => waitMsRule, waitMsSchema)),
  },
  { error: notAnObject },
);

function isShortList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0 && value.length <= listedProductsMax;
}

function shortListProblem(): string {
  return `must be an array of 1 to ${listedProductsMax} product ids`;
}

const waitMsRule = `must be a whole number from 0 to ${waitMsMax}`;

function isWaitMs(value: unknown): value is ExactNumber {
  if (!(value instanceof ExactNumber)) return false;
  return /^(?:0|[1-9][0-9]{0,4})$/.test(value.text) && Number(value.text) <= waitMsMax;
}
