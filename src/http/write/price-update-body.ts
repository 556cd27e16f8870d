import assert from 'node:assert';
import { z } from 'zod';
import type { Reprice } from '../../ledger/reprice.ts';
import { annotationProblem, currencyProblem } from '../../model/annotations.ts';
import { ExactNumber } from '../../model/exact-json.ts';
import { type Price, priceProblem, toPrice } from '../../model/price.ts';
import { isProductId, productIdProblem } from '../../model/product-id.ts';
import { checkedBy, type Rule } from '../input/checked-by.ts';
import { idempotencyKeyRule, isIdempotencyKey } from '../input/idempotency-key.ts';
import type { JsonSchema } from '../input/json-schema.ts';
import { parseJson } from '../input/parse-json.ts';
import { notAnObject, parseShape } from '../input/parse-shape.ts';
import {
  currencySchema,
  expectedPriceSchema,
  idempotencyKeySchema,
  productIdSchema,
  reasonSchema,
  sourceSchema,
  writtenPriceSchema,
} from '../input/value-schemas.ts';
import { scanPlainUpdate } from './scan-plain-update.ts';

/** The body of a reprice as it is sent. What it says is converted after it was checked, not on the way. */
export const priceUpdateBody = z.strictObject(
  {
    productId: checkedBy(isProductId, productIdProblem, productIdSchema),
    price: checkedBy(isWrittenPrice, writtenPriceProblem, writtenPriceSchema),
    currency: z.exactOptional(textOf(currencyProblem, currencySchema)),
    source: z.exactOptional(textOf(annotationProblem, sourceSchema)),
    reason: z.exactOptional(textOf(annotationProblem, reasonSchema)),
    expectedPreviousPrice: z.exactOptional(
      checkedBy(isExpectedPrice, expectedPriceProblem, expectedPriceSchema),
    ),
  },
  { error: notAnObject },
);

/** The same as a line of a batch, which has no headers of its own. */
export const batchLine = priceUpdateBody.extend({
  idempotencyKey: z.exactOptional(
    checkedBy(isIdempotencyKey, () => idempotencyKeyRule, idempotencyKeySchema),
  ),
});

/** The update in a reprice's body and its terms, or BAD_REQUEST with every rule that it breaks. */
export function parsePriceUpdate(bytes: unknown): Reprice {
  return parsePlainUpdate(bytes) ?? toReprice(parseShape(priceUpdateBody, parseJson(bytes)));
}

/** The same for a line of a batch, or an element of its array. */
export function parseBatchLine(bytes: unknown): Reprice {
  return (
    parsePlainUpdate(bytes) ??
    toReprice(parseShape(batchLine, parseJson(bytes, 'The line'), 'The line'))
  );
}

/** The same where it is good and of the plain form; undefined says nothing about it. */
function parsePlainUpdate(bytes: unknown): Reprice | undefined {
  const written = Buffer.isBuffer(bytes) ? scanPlainUpdate(bytes) : undefined;
  if (written === undefined || !isProductId(written.productId)) return undefined;
  const newPrice = toPrice(written.price);
  if (newPrice === undefined) return undefined;
  return { update: { productId: written.productId, newPrice }, terms: {} };
}

function toReprice(line: z.infer<typeof batchLine>): Reprice {
  const { price, expectedPreviousPrice: expected, ...rest } = line;
  const update = { ...rest, newPrice: priceOf(price) };
  if (expected === undefined) return { update, terms: {} };
  const expectedPreviousPrice = expected === null ? null : priceOf(expected);
  return { update, terms: { expectedPreviousPrice } };
}

function priceOf(written: WrittenPrice): Price {
  const price = toPrice(detached(digitsOf(written)));
  assert(price !== undefined, 'a checked price must be a price');
  return price;
}

function textOf(problem: Rule, schema: JsonSchema) {
  const isText = (value: unknown): value is string => problem(value) === undefined;
  return checkedBy(isText, problem, schema);
}

/** A price as JSON can hold one: a number with its digits kept, or a string. */
type WrittenPrice = ExactNumber | string;

function isWrittenPrice(value: unknown): value is WrittenPrice {
  return writtenPriceProblem(value) === undefined;
}

function isExpectedPrice(value: unknown): value is WrittenPrice | null {
  return value === null || isWrittenPrice(value);
}

function expectedPriceProblem(value: unknown): string {
  return `${writtenPriceProblem(value)}, or null for none`;
}

function writtenPriceProblem(value: unknown): string | undefined {
  const isWritten = value instanceof ExactNumber || typeof value === 'string';
  return isWritten ? priceProblem(digitsOf(value)) : 'must be a number, or a string of one';
}

/**
 * The same text in memory of its own. Digits cut from a body may be a view into it, and a last price
 * that is kept for years would keep the whole body.
 */
function detached(digits: string): string {
  return Buffer.from(digits, 'latin1').toString('latin1');
}

function digitsOf(price: WrittenPrice): string {
  return typeof price === 'string' ? price : price.text;
}
