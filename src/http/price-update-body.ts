import assert from 'node:assert';
import { LosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { annotationProblem, currencyProblem } from '../model/annotations.ts';
import { priceProblem, toPrice } from '../model/price.ts';
import type { PriceUpdate } from '../model/price-record.ts';
import { isProductId, productIdProblem } from '../model/product-id.ts';
import { parseJson } from './parse-json.ts';
import { notAnObject, parseShape } from './parse-shape.ts';

/** The body of a reprice as it is sent. What it says is converted after it was checked, not on the way. */
const priceUpdateBody = z.strictObject(
  {
    productId: checkedBy(isProductId, productIdProblem),
    price: checkedBy(isWrittenPrice, writtenPriceProblem),
    currency: z.exactOptional(textOf(currencyProblem)),
    source: z.exactOptional(textOf(annotationProblem)),
    reason: z.exactOptional(textOf(annotationProblem)),
  },
  { error: notAnObject },
);

/** The price update in a reprice's body, or BAD_REQUEST with every rule that it breaks. */
export function parsePriceUpdate(bytes: unknown): PriceUpdate {
  const { price, ...rest } = parseShape(priceUpdateBody, parseJson(bytes));
  const newPrice = toPrice(detached(digitsOf(price)));
  assert(newPrice !== undefined, 'a checked price must be a price');
  return { ...rest, newPrice };
}

type Rule = (value: unknown) => string | undefined;

/** A schema of the values that `isValue` knows, which says in the model's words what is wrong with others. */
export function checkedBy<Value>(isValue: (value: unknown) => value is Value, problem: Rule) {
  const messageFor = (input: unknown) => (input === undefined ? 'is required' : problem(input));
  return z.custom<Value>(isValue, { error: ({ input }) => messageFor(input) });
}

function textOf(problem: Rule) {
  const isText = (value: unknown): value is string => problem(value) === undefined;
  return checkedBy(isText, problem);
}

/** A price as JSON can hold one: a number with its digits kept, or a string. */
type WrittenPrice = LosslessNumber | string;

function isWrittenPrice(value: unknown): value is WrittenPrice {
  return writtenPriceProblem(value) === undefined;
}

function writtenPriceProblem(value: unknown): string | undefined {
  const isWritten = value instanceof LosslessNumber || typeof value === 'string';
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
  return typeof price === 'string' ? price : price.value;
}
