import { z } from 'zod';
import type { JsonSchema } from './json-schema.ts';

/** What is wrong with a value; undefined for a good one. */
export type Rule = (value: unknown) => string | undefined;

/**
 * A schema of the values that `isValue` knows, which says in the model's words what is wrong with
 * others, and in those of JSON Schema what it takes.
 */
export function checkedBy<Value>(
  isValue: (value: unknown) => value is Value,
  problem: Rule,
  schema: JsonSchema,
) {
  const messageFor = (input: unknown) => (input === undefined ? 'is required' : problem(input));
  return z.custom<Value>(isValue, { error: ({ input }) => messageFor(input) }).meta(schema);
}
