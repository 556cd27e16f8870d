import type { z } from 'zod';
import type { FieldProblem } from '../../errors.ts';
import { ExactNumber } from '../../model/exact-json.ts';
import { pointerTo, refuseFields, unknownField } from './field-problems.ts';
import type { JsonPart } from './parse-json.ts';

export const notAnObject = 'must be a JSON object';

/** `value` as `schema` describes it, or BAD_REQUEST with every rule that it breaks. */
export function parseShape<Shape>(
  schema: z.ZodType<Shape>,
  value: unknown,
  what: JsonPart = 'The body',
): Shape {
  const refusal = (fields: readonly FieldProblem[]) =>
    refuseFields(`${what} breaks the rules listed in "errors".`, fields);
  // A parsed number is an object with its digits as a field, and zod would say so.
  if (value instanceof ExactNumber) throw refusal([{ pointer: '#', detail: notAnObject }]);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refusal(result.error.issues.flatMap(problemsOf));
}

function problemsOf(issue: z.core.$ZodIssue): readonly FieldProblem[] {
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => unknownField(issue.path, key))
    : [{ pointer: pointerTo(issue.path), detail: issue.message }];
}
