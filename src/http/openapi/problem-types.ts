import { RepricerError } from '../../errors.ts';
import type { JsonSchema } from '../input/json-schema.ts';
import { toProblem } from '../server/problem.ts';
import { objectSchema } from './object-schema.ts';
import type { ClientErrorCode, Header } from './operation.ts';
import { problemMeanings } from './problem-meanings.ts';

/** A type of problem, as it is told by `toProblem`. */
export interface ProblemType {
  /** The name of its schema. */
  readonly name: string;
  readonly type: string;
  readonly status: number;
  readonly when: string;
  /** Whether it comes with `Retry-After`. */
  readonly mayRetry: boolean;
  readonly headers: readonly Header[];
  readonly schema: JsonSchema;
  readonly example: JsonSchema;
}

export function problemType(code: ClientErrorCode): ProblemType {
  const { when, example = '', members, headers = [] } = problemMeanings[code];
  const { type, title, status, detail, retryAfterSeconds } = toProblem(
    new RepricerError(code, example),
  );
  // Without an example it always says the same.
  const said = example === '' ? { const: detail } : { type: 'string' };
  const properties = {
    type: { const: type },
    title: { const: title },
    status: { const: status },
    detail: { ...said, description: 'What is wrong, for a person to read.' },
    ...members?.properties,
  };
  const told = { type, title, status, detail, ...members?.example };
  const schema = objectSchema(properties, members?.optional);
  return {
    name: `${pascalCase(code)}Problem`,
    type,
    status,
    when,
    headers,
    mayRetry: retryAfterSeconds !== undefined,
    schema: { ...schema, description: when, examples: [told] },
    example: told,
  };
}

/** Every type of problem that a client can meet. */
export const problemTypes: readonly ProblemType[] = Object.keys(problemMeanings).map((code) =>
  problemType(code as ClientErrorCode),
);

/** `BAD_REQUEST` as `BadRequest`. */
function pascalCase(code: string): string {
  return code.toLowerCase().replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
