/** The prices that a request may have asked for, in the form in which they stand in a record. */
export function pricesIn(text: string): ReadonlySet<string> {
  const written = text.matchAll(/"price"\s*:\s*"?(\d+(?:\.\d+)?)/g);
  return new Set(Array.from(written, ([, price = '']) => asRecorded(price)));
}

function asRecorded(price: string): string {
  return price.includes('.') ? price : `${price}.0`;
}
