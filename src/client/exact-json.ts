/** A string of JSON, or a number. Strings are matched so that what stands in them is passed over. */
const stringOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * The value of a JSON text in which every number is kept as its text: `3.50` becomes `'3.50'`, where
 * `JSON.parse` alone would make it 3.5. Throws a SyntaxError for what is no JSON.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(
    text.replace(stringOrNumber, (token) => (token.startsWith('"') ? token : `"${token}"`)),
  );
}
