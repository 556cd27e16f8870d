/**
 * The path of what belongs to a product. Throws a `TypeError` for what a URL cannot have in it: text
 * that is empty or `.` or `..`, which would be another path, and half a surrogate pair.
 */
export function productPath(productId: string, what: 'price' | 'history'): string {
  const isSegment = !['', '.', '..'].includes(productId) && productId.isWellFormed();
  if (!isSegment) throw new TypeError(`${JSON.stringify(productId)} is not a product id`);
  return `product/${encodeURIComponent(productId)}/${what}`;
}
