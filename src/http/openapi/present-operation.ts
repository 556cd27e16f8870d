import assert from 'node:assert';
import type { JsonSchema } from '../input/json-schema.ts';
import type { ClientErrorCode, Operation } from './operation.ts';
import { traceparent } from './parameters.ts';
import { presentAnswer } from './present-answer.ts';
import { problemResponses } from './problem-responses.ts';
import { securityFor } from './security.ts';

/** What any request can meet, whatever it asks for. */
const commonProblems: readonly ClientErrorCode[] = [
  'BAD_REQUEST',
  'REQUEST_TIMEOUT',
  'EXPECTATION_FAILED',
  'MISDIRECTED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

/** What it can meet beside that where it needs a scope. */
const accessProblems: readonly ClientErrorCode[] = [
  'UNAUTHENTICATED',
  'SCOPE_MISSING',
  'OUTSIDE_PREFIX',
  'RATE_LIMITED',
];

/** An operation as an Operation Object of OpenAPI. */
export function presentOperation(operation: Operation): JsonSchema {
  const { id, tag, summary, description, parameters, body, scope } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securityFor(scope),
    parameters: [...parameters, traceparent],
    ...(body !== undefined && { requestBody: { ...body, required: true } }),
    responses: presentResponses(operation),
  };
}

function presentResponses({ answers, problems, scope }: Operation): JsonSchema {
  const doorProblems = scope === undefined ? [] : accessProblems;
  const refusals = problemResponses([...commonProblems, ...doorProblems, ...problems]);
  const isTwice = answers.some(({ status }) => String(status) in refusals);
  assert(!isTwice, 'an answer and a refusal of one status would be one response');
  const good: JsonSchema = Object.fromEntries(
    answers.map((answer) => [answer.status, presentAnswer(answer)]),
  );
  return { ...good, ...refusals };
}
