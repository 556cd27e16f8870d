import assert from 'node:assert';
import type { JsonSchema } from '../json-schema.ts';
import type { ClientErrorCode, Operation } from './operation.ts';
import { traceparent } from './parameters.ts';
import { presentAnswer } from './present-answer.ts';
import { problemResponses } from './problem-responses.ts';

/** What any request can meet, whatever it asks for. */
const commonProblems: readonly ClientErrorCode[] = [
  'BAD_REQUEST',
  'REQUEST_TIMEOUT',
  'EXPECTATION_FAILED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

/** An operation as an Operation Object of OpenAPI. */
export function presentOperation(operation: Operation): JsonSchema {
  const { id, tag, summary, description, parameters, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    parameters: [...parameters, traceparent],
    ...(body !== undefined && { requestBody: { ...body, required: true } }),
    responses: presentResponses(operation),
  };
}

function presentResponses({ answers, problems }: Operation): JsonSchema {
  const refusals = problemResponses([...commonProblems, ...problems]);
  const isTwice = answers.some(({ status }) => String(status) in refusals);
  assert(!isTwice, 'an answer and a refusal of one status would be one response');
  const good: JsonSchema = Object.fromEntries(
    answers.map((answer) => [answer.status, presentAnswer(answer)]),
  );
  return { ...good, ...refusals };
}
