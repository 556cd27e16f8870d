declare const priceBrand: unique symbol;

/**
 * A price as exact decimal text, always with a fraction part: `'3.50'`, `'3.0'`.
 * It fits DECIMAL(18,6) and is never a binary float, so it is written as it was given.
 */
export type Price = string & { readonly [priceBrand]: true };

export const priceIntegerDigitsMax = 12;
export const priceFractionDigitsMax = 6;

const decimal = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/** The rule that a price's text breaks, as a sentence for the client; undefined when it is a price. */
export function priceProblem(text: string): string | undefined {
  // Longer text breaks a limit whatever its form, and need not be matched.
  if (text.length > 64) return tooManyDigits;
  const match = decimal.exec(text);
  if (match === null) {
    return text.startsWith('-')
      ? 'must be greater than 0'
      : 'must be a plain decimal number such as 3.50, without exponent, sign or leading zeros';
  }
  const [, integer = '', fraction = ''] = match;
  if (integer.length > priceIntegerDigitsMax || fraction.length > priceFractionDigitsMax) {
    return tooManyDigits;
  }
  if (!/[1-9]/.test(text)) return 'must be greater than 0';
  return undefined;
}

/** The price that `text` gives, with a fraction part added where it has none; undefined when it gives none. */
export function toPrice(text: string): Price | undefined {
  if (priceProblem(text) !== undefined) return undefined;
  const price = text.includes('.') ? text : `${text}.0`;
  return hasFraction(price) ? price : undefined;
}

/** Of a decimal in limits. */
function hasFraction(text: string): text is Price {
  return text.includes('.');
}

/** Whether `text` is a price as it is written to files: a decimal in limits, with a fraction part. */
export function isPrice(text: string): text is Price {
  return hasFraction(text) && priceProblem(text) === undefined;
}

/** Whether both are the same amount, however many zeros they were written with: `3.5` and `3.50`. */
export function isSameAmount(a: Price, b: Price): boolean {
  return a === b || withoutEndingZeros(a) === withoutEndingZeros(b);
}

/** Of a decimal without leading zeros and with a fraction part, so equal amounts have equal texts. */
function withoutEndingZeros(price: Price): string {
  return price.replace(/\.?0+$/, '');
}

const tooManyDigits =
  `must have at most ${priceIntegerDigitsMax} integer digits ` +
  `and ${priceFractionDigitsMax} fraction digits`;
