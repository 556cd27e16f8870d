import { RepricerError } from '../../errors.ts';

/**
 * The parameters of a query string, each with all of its values in order; `+` is a space, as in HTML
 * forms. Broken percent-encoding is refused, where Node's own parsers put U+FFFD in its place.
 */
export function parseQueryString(text: string): ReadonlyMap<string, readonly string[]> {
  const parameters = new Map<string, string[]>();
  for (const pair of text.split('&').filter((pair) => pair !== '')) {
    const separator = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decode(pair.slice(0, separator), 'the name of a parameter');
    const values = parameters.get(name) ?? [];
    values.push(decode(pair.slice(separator + 1), JSON.stringify(name)));
    parameters.set(name, values);
  }
  return parameters;
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RepricerError(
      'BAD_REQUEST',
      `The query must be percent-encoded UTF-8, and ${what} is not.`,
    );
  }
}
