/** The longest `source` or `reason`, in Unicode characters (code points). */
export const annotationCharactersMax = 200;

/** The ISO 4217 codes that are no everyday money (funds, units of account, metals, test), which Intl leaves out. */
const specialCurrencies =
  'BOV CHE CHW CLF COU MXV USN UYI UYW VED XAG XAU XBA XBB XBC XBD XPD XPT XSU XTS XUA XXX';

/** The ISO 4217 codes in use, and a few lately withdrawn, as this Node's Intl knows them. */
const currencies: ReadonlySet<string> = new Set([
  ...Intl.supportedValuesOf('currency'),
  ...specialCurrencies.split(' '),
]);

/** The rule that a currency breaks, as a sentence for the client; undefined when it is one. */
export function currencyProblem(value: unknown): string | undefined {
  if (typeof value === 'string' && currencies.has(value)) return undefined;
  return 'must be an ISO 4217 currency code such as "EUR"';
}

/** The rule that a free text (`source`, `reason`) breaks; undefined when it is one. */
export function annotationProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (value.length > 2 * annotationCharactersMax || [...value].length > annotationCharactersMax) {
    return `must be at most ${annotationCharactersMax} characters long`;
  }
  if (value === '') return 'must not be empty; leave the field out instead';
  if (!value.isWellFormed()) return 'must be well-formed Unicode, without lone surrogates';
  if (/\p{Cc}|[\u2028\u2029]/u.test(value)) {
    return 'must not contain control or line separator characters';
  }
  return undefined;
}
