import { annotationCharactersMax } from '../../model/annotations.ts';
import { priceFractionDigitsMax, priceIntegerDigitsMax } from '../../model/price.ts';
import { productIdCharactersMax } from '../../model/product-id.ts';
import { idempotencyKeyForm } from './idempotency-key.ts';
import type { JsonSchema } from './json-schema.ts';

/*
 * The rules of the values that clients send, as JSON Schema: what these refuse is refused, and what
 * they let pass is taken, but for the exceptions that stand in the descriptions.
 */

const nameCharacters =
  '[^\\p{Cc}\\p{Cs}\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069\\u2028\\u2029]';

export const productIdSchema: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: productIdCharactersMax,
  pattern: `^(?!\\.{1,2}$)(?=[\\s\\S]*\\S)${nameCharacters}*$`,
  description:
    'Any text but ".", "..", white space alone, and text with control, bidirectional control or line separator characters.',
  examples: ['foo'],
};

export const productIdPrefixSchema: JsonSchema = {
  type: 'string',
  maxLength: productIdCharactersMax,
  pattern: `^${nameCharacters}*$`,
};

/** Only the text of a link is a cursor, which no schema can tell. */
export const cursorSchema: JsonSchema = { type: 'string', pattern: '^[\\w-]+$' };

/** The seq of a record, or 0 for the place before the first; one that is not reached yet is refused. */
export const placeSchema: JsonSchema = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
};

const digits =
  `^(?=[0-9.]*[1-9])(?:0|[1-9][0-9]{0,${priceIntegerDigitsMax - 1}})` +
  `(?:\\.[0-9]{1,${priceFractionDigitsMax}})?$`;

export const writtenPriceSchema: JsonSchema = {
  type: ['number', 'string'],
  exclusiveMinimum: 0,
  exclusiveMaximum: 10 ** priceIntegerDigitsMax,
  pattern: digits,
  description:
    `A decimal greater than 0 with at most ${priceIntegerDigitsMax} integer and ${priceFractionDigitsMax} fraction digits, ` +
    'as a number without exponent or as a string. It is kept with the digits that it was sent with, a whole number with one zero behind the point.',
  examples: [3.55, '3.50'],
};

export const expectedPriceSchema: JsonSchema = {
  ...writtenPriceSchema,
  type: ['number', 'string', 'null'],
  description:
    'The price that this one is to replace, compared as a decimal; null where there must be none yet.',
};

export const currencySchema: JsonSchema = {
  type: 'string',
  pattern: '^[A-Z]{3}$',
  description: 'A currency code that is in force by ISO 4217; no other three letters.',
  examples: ['EUR'],
};

const annotationSchema: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: annotationCharactersMax,
  pattern: '^[^\\p{Cc}\\p{Cs}\\u2028\\u2029]*$',
};

export const sourceSchema: JsonSchema = {
  ...annotationSchema,
  description: 'Who or what set the price.',
  examples: ['crawler'],
};

export const reasonSchema: JsonSchema = {
  ...annotationSchema,
  description: 'Why the price was set.',
  examples: ['competitor'],
};

export const idempotencyKeySchema: JsonSchema = {
  type: 'string',
  pattern: idempotencyKeyForm.source,
  description: 'Names the request, so that it is recorded once however often it is sent.',
  examples: ['8e03978e-40d5-43dd-bc93-6894a57f9324'],
};
