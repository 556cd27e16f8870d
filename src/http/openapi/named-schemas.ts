import { z } from 'zod';
import { countedClients } from '../../access/client-statistics.ts';
import type { JsonSchema } from '../input/json-schema.ts';
import { priceListBody } from '../read/price-list-body.ts';
import { batchLine, priceUpdateBody } from '../write/price-update-body.ts';
import * as answer from './answer-schemas.ts';
import { problemTypes } from './problem-types.ts';

/** The schemas that have a name in the document. Those of bodies are made from what checks the bodies. */
const schemas = {
  PriceUpdate: fromZod(priceUpdateBody),
  BatchLine: fromZod(batchLine),
  BatchResult: answer.batchResultSchema,
  Receipt: answer.receiptSchema,
  Draft: answer.draftSchema,
  Unchanged: answer.unchangedSchema,
  Price: answer.priceSchema,
  PriceInForce: answer.priceInForceSchema,
  History: answer.historySchema,
  ProductPage: answer.productPageSchema,
  PriceListRequest: fromZod(priceListBody),
  PriceList: answer.priceListSchema,
  ClientStatistics: fromZod(countedClients),
  Problem: { oneOf: problemTypes.map(({ name }) => reference(name)) },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export const namedSchemas: Readonly<Record<string, JsonSchema>> = {
  ...schemas,
  ...Object.fromEntries(problemTypes.map(({ name, schema }) => [name, schema])),
};

/** What stands in the place of a schema that has a name. */
export function named(name: keyof typeof schemas): JsonSchema {
  return reference(name);
}

/** The same of any name, such as that of a problem's type. */
export function reference(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Values that zod only knows by a function have their schema as metadata. */
function fromZod(body: z.ZodType): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
  return schema;
}
