import type { JsonSchema } from '../input/json-schema.ts';
import { problemMediaType } from '../server/problem.ts';
import * as header from './headers.ts';
import { reference } from './named-schemas.ts';
import type { ClientErrorCode, Header } from './operation.ts';
import { presentAnswer } from './present-answer.ts';
import { type ProblemType, problemType, problemTypes } from './problem-types.ts';

/** The response for each type of problem, by the type's name. */
export const namedResponses: JsonSchema = Object.fromEntries(
  problemTypes.map((type) => [type.name, presentProblems([type])]),
);

/** The responses to whatever these codes refuse, by status. */
export function problemResponses(codes: readonly ClientErrorCode[]): JsonSchema {
  const types = [...new Set(codes)].map(problemType);
  const statuses = new Set(types.map(({ status }) => status));
  return Object.fromEntries(
    [...statuses].map((status) => [status, responseTo(types.filter((t) => t.status === status))]),
  );
}

function responseTo(types: readonly ProblemType[]): JsonSchema {
  const [only, ...others] = types;
  return only !== undefined && others.length === 0
    ? { $ref: `#/components/responses/${only.name}` }
    : presentProblems(types);
}

/** The response that tells a problem of one of these types, which have the same status. */
function presentProblems(types: readonly ProblemType[]): JsonSchema {
  return presentAnswer({
    description: types.map(({ when }) => when).join(' '),
    headers: [header.noStore, ...retryHeaders(types), ...types.flatMap(({ headers }) => headers)],
    content: {
      [problemMediaType]: { schema: { oneOf: types.map(({ name }) => reference(name)) } },
    },
  });
}

function retryHeaders(types: readonly ProblemType[]): readonly Header[] {
  if (!types.some(({ mayRetry }) => mayRetry)) return [];
  return [{ ...header.retryAfter, required: types.every(({ mayRetry }) => mayRetry) }];
}
