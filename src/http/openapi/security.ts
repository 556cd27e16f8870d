import type { Scope } from '../../access/client.ts';
import type { JsonSchema } from '../input/json-schema.ts';

const description =
  'A token, where the operator has configured tokens. It is made for scopes, of which each operation ' +
  'names one, and perhaps for the products whose ids begin with a prefix.';

/** The two ways to send a token. */
export const securitySchemes: JsonSchema = {
  bearer: { type: 'http', scheme: 'bearer', description },
  xToken: { type: 'apiKey', in: 'header', name: 'X-Token', description },
};

/** A token with this scope, sent in one of these ways, or none where no tokens are configured. */
export function securityFor(scope: Scope | undefined): readonly JsonSchema[] {
  return scope === undefined ? [] : [{ bearer: [scope] }, { xToken: [scope] }, {}];
}
