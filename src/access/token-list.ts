import { z } from 'zod';
import { RepricerError } from '../errors.ts';
import { JsonError, parseExactJson } from '../model/exact-json.ts';
import { isProductId } from '../model/product-id.ts';
import { scopes } from './client.ts';

/*
 * The content of a tokens file. It holds hashes and no tokens, and since someone may put a token there by
 * mistake, no message about it repeats anything but a token's name, which has a form that no token has.
 */

/** The longest file, in bytes: room for the most tokens with the longest texts. */
export const tokenListBytesMax = 2 * 1024 * 1024;

const tokensMax = 1000;
export const tokenNameForm = /^[a-z0-9][a-z0-9.-]{0,47}$/;
const problemsMax = 32;

const scopesRule = `must be a list of one or more of ${scopes.join(', ')}, each once`;

const tokenEntry = z.strictObject(
  {
    name: matching(
      tokenNameForm,
      'must be 1 to 48 lower-case letters, digits, dots and hyphens, the first a letter or digit',
    ),
    sha256: matching(
      /^[0-9a-f]{64}$/,
      'must be the SHA-256 of a token in 64 lower-case hex digits',
    ),
    scopes: z
      .array(z.enum(scopes, scopesRule), scopesRule)
      .min(1, scopesRule)
      .refine((list) => new Set(list).size === list.length, scopesRule),
    productPrefix: z.exactOptional(
      z.custom<string>(isProductId, 'must be the beginning of product ids, 1 to 256 characters'),
    ),
  },
  { error: 'must be an object' },
);

const countRule = `must be a list of 1 to ${tokensMax} tokens`;

const tokenList = z.strictObject(
  { tokens: z.array(tokenEntry, countRule).min(1, countRule).max(tokensMax, countRule) },
  { error: 'it must be an object with a list "tokens"' },
);

/** A token as it is stored. */
export type TokenEntry = z.infer<typeof tokenEntry>;

/** The tokens of a list, or INVALID_CONFIG with a line for every rule that it breaks, none of them quoting it. */
export function parseTokenList(bytes: Buffer): readonly TokenEntry[] {
  const result = tokenList.safeParse(parseJson(bytes));
  if (!result.success) throw refusal(result.error.issues.flatMap(describe));
  const { tokens } = result.data;
  const repeated = [...repeats(tokens, 'name'), ...repeats(tokens, 'sha256')];
  if (repeated.length > 0) throw refusal(repeated);
  return tokens;
}

/** One token, or INVALID_CONFIG with every rule that it breaks. */
export function checkTokenEntry(value: unknown): TokenEntry {
  const result = tokenEntry.safeParse(value);
  if (!result.success) throw refusal(result.error.issues.flatMap(describe));
  return result.data;
}

/** The text of a list: a line for each token, so that a difference between two versions is easily read. */
export function encodeTokenList(entries: readonly TokenEntry[]): string {
  return `{\n  "tokens": [\n    ${entries.map(encodeTokenEntry).join(',\n    ')}\n  ]\n}\n`;
}

export function encodeTokenEntry({ name, sha256, scopes, productPrefix }: TokenEntry): string {
  return JSON.stringify({
    name,
    sha256,
    scopes,
    ...(productPrefix !== undefined && { productPrefix }),
  });
}

function matching(form: RegExp, rule: string) {
  return z.string(rule).regex(form, rule);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return parseExactJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), Number);
  } catch (error) {
    if (error instanceof JsonError) throw refusal([`it ${error.message}`]);
    if (error instanceof TypeError) throw refusal(['it is not valid UTF-8']);
    throw error;
  }
}

function describe({ code, path, message }: z.core.$ZodIssue): string {
  const where = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const what = code === 'unrecognized_keys' ? 'has a field that is not known here' : message;
  return `${where.join('').replace(/^\./, '')} ${what}`.trim();
}

function repeats(tokens: readonly TokenEntry[], field: 'name' | 'sha256'): readonly string[] {
  const first = new Map<string, number>();
  return tokens.flatMap((token, index) => {
    const earlier = first.get(token[field]);
    if (earlier === undefined) first.set(token[field], index);
    return earlier === undefined ? [] : `tokens[${index}].${field} is that of tokens[${earlier}]`;
  });
}

function refusal(problems: readonly string[]): RepricerError {
  const shown = problems.slice(0, problemsMax);
  const hidden = problems.length - shown.length;
  const lines = hidden > 0 ? [...shown, `and ${hidden} more`] : shown;
  return new RepricerError('INVALID_CONFIG', lines.join('\n'));
}
