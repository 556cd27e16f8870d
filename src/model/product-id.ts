declare const productIdBrand: unique symbol;

/** Names a product. Data only: never a path and never an object key. */
export type ProductId = string & { readonly [productIdBrand]: true };

/** The longest product id, in Unicode characters (code points). */
export const productIdCharactersMax = 256;

/**
 * Characters that have no place in a name: controls (Cc), the bidirectional controls of Unicode's
 * UAX #9 (which make a name read as another one), and the line and paragraph separators.
 */
const forbiddenCharacter = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/u;

/** Nearly all ids, which need no other look: printable ASCII without blanks at its ends. */
const usual = /^[!-~](?:[ -~]{0,254}[!-~])?$/;

/** The rule that `value` breaks, as a sentence for the client; undefined when it is a product id. */
export function productIdProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (usual.test(value) && value !== '.' && value !== '..') return undefined;
  // A code point is at most two code units, so this refuses an endless text without walking it.
  if (value.length > 2 * productIdCharactersMax) return tooLong;
  if (!value.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates';
  if ([...value].length > productIdCharactersMax) return tooLong;
  if (value.trim() === '') return 'must not be empty or only white space';
  if (value === '.' || value === '..') return 'must not be "." or ".."';
  if (forbiddenCharacter.test(value)) return forbidden;
  return undefined;
}

export function isProductId(value: unknown): value is ProductId {
  return productIdProblem(value) === undefined;
}

/** The rule that `text` breaks, as a sentence, when no product id can begin with it; undefined when one may. */
export function productIdPrefixProblem(text: string): string | undefined {
  if (!text.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates';
  if ([...text].length > productIdCharactersMax) return tooLong;
  if (forbiddenCharacter.test(text)) return forbidden;
  return undefined;
}

const forbidden = 'must not contain control, bidirectional control or line separator characters';

const tooLong = `must be at most ${productIdCharactersMax} characters long`;
