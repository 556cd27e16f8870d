import { tokenNameForm } from '../../access/token-list.ts';
import type { JsonSchema } from '../input/json-schema.ts';
import {
  currencySchema,
  idempotencyKeySchema,
  productIdSchema,
  reasonSchema,
  sourceSchema,
} from '../input/value-schemas.ts';
import { objectSchema } from './object-schema.ts';

/*
 * The shapes of answers. Each stands beside the `present…` function of its name, and the tests hold
 * real answers against it.
 */

const count = { type: 'integer', minimum: 1 };
const version = { ...count, description: '1, 2, 3 … within the product.' };
const seq = { ...count, description: '1, 2, 3 … over all records.' };

const price = {
  type: 'number',
  exclusiveMinimum: 0,
  description: 'Decimal digits as they were recorded, always with a fraction part.',
};
const priceOrNone = { ...price, type: ['number', 'null'] };
const previousPrice = {
  ...priceOrNone,
  description: 'The price that this one replaced; null for version 1.',
};

const epochSeconds = {
  type: 'number',
  minimum: 0,
  description: 'Seconds since the Unix epoch, with six fraction digits.',
};

const priceProperties = {
  productId: productIdSchema,
  price,
  timestamp: {
    ...epochSeconds,
    description: 'When it was recorded, in seconds since the Unix epoch.',
  },
  previousPrice,
  version,
  seq,
};

export const priceSchema: JsonSchema = objectSchema(priceProperties);

export const priceInForceSchema: JsonSchema = objectSchema({
  ...priceProperties,
  validFrom: { ...epochSeconds, description: 'From when on it held; itself included.' },
  validTo: {
    ...epochSeconds,
    type: ['number', 'null'],
    description: 'Until when it held, itself not included; null while no later price is known.',
  },
});

const bucketSchema: JsonSchema = objectSchema({
  from: { ...epochSeconds, description: 'Where the bucket begins, itself included.' },
  to: { ...epochSeconds, description: 'Where it ends, itself not included.' },
  open: { ...priceOrNone, description: 'The price that held first; null while there was none.' },
  high: { ...priceOrNone, description: 'The highest price that held.' },
  low: { ...priceOrNone, description: 'The lowest price that held.' },
  close: { ...priceOrNone, description: 'The price that held last.' },
  changes: { type: 'integer', minimum: 0, description: 'Records with a timestamp in the bucket.' },
  timeWeightedAverage: {
    ...priceOrNone,
    description: 'The mean, each price weighted by the time that it held, rounded half to even.',
  },
});

export const historySchema: JsonSchema = objectSchema({
  productId: productIdSchema,
  buckets: { type: 'array', items: bucketSchema },
});

const productIds = { type: 'array', items: productIdSchema };
const pending = {
  ...productIds,
  description: 'Products whose price could not be read, or not in time; ask again.',
};

export const productPageSchema: JsonSchema = objectSchema({
  products: { type: 'array', items: priceSchema },
  pending,
});

export const priceListSchema: JsonSchema = objectSchema({
  prices: { type: 'array', items: priceSchema },
  missing: { ...productIds, description: 'Products that never had a price.' },
  pending,
});

const unchanged = {
  type: 'boolean',
  description: 'Whether the amount is the one before, however many zeros it was written with.',
};

/** What a record has only when it was sent, or when there are tokens. */
const annotations = {
  currency: currencySchema,
  source: sourceSchema,
  reason: reasonSchema,
  idempotencyKey: idempotencyKeySchema,
  actor: {
    type: 'string',
    pattern: tokenNameForm.source,
    description: 'The name of the token that it was written with.',
  },
};

export const receiptSchema: JsonSchema = objectSchema(
  {
    seq,
    batch: { ...count, description: 'The first seq of the records that were synced together.' },
    productId: productIdSchema,
    version,
    previousPrice,
    newPrice: price,
    timestamp: { type: 'string', format: 'date-time', description: 'UTC with microseconds.' },
    ...annotations,
    unchanged,
    file: { type: 'string', description: 'The journal file of its line, once it is sealed.' },
    offset: { type: 'integer', minimum: 0, description: 'The first byte of its line.' },
    length: { ...count, description: 'The bytes of its line, with the newline.' },
  },
  Object.keys(annotations),
);

const draftProperties = {
  productId: productIdSchema,
  version,
  previousPrice,
  newPrice: price,
  ...annotations,
  unchanged,
  dryRun: { const: true },
};

export const draftSchema: JsonSchema = objectSchema(draftProperties, Object.keys(annotations));

const unchangedProperties = {
  productId: productIdSchema,
  version,
  price,
  unchanged: { const: true },
};

export const unchangedSchema: JsonSchema = objectSchema(unchangedProperties);

const line = { ...count, description: 'The line, or element of the array, that this is about.' };

export const batchResultSchema: JsonSchema = {
  oneOf: [
    objectSchema(
      {
        line,
        status: { const: 202, description: 'It is on disk.' },
        seq,
        version,
        unchanged,
        replayed: { const: true, description: 'It was recorded before, under the same key.' },
      },
      ['replayed'],
    ),
    objectSchema({
      line,
      status: { const: 200, description: 'The price is the same, so nothing was recorded.' },
      ...unchangedProperties,
    }),
    objectSchema(
      {
        line,
        status: { const: 200, description: 'It would have been recorded so.' },
        ...draftProperties,
        replayed: { const: true, description: 'It would have been before, under the same key.' },
      },
      [...Object.keys(annotations), 'replayed'],
    ),
    objectSchema({
      line,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      problem: { $ref: '#/components/schemas/Problem' },
    }),
  ],
};
