/** Which records, and in which order. */
export interface PriceFilter {
  /** The records of any of these products, at most 50; of all products when empty or absent. */
  readonly productIds?: readonly string[];
  /** First moment of the range, itself included, in RFC 3339; from the beginning when absent. */
  readonly from?: string | Date;
  /** Last moment of the range, itself included; to the end when absent. */
  readonly to?: string | Date;
  /** By seq; `'asc'`, the default, is oldest first. */
  readonly order?: 'asc' | 'desc';
  /** Records that one request asks for, at most 1000. */
  readonly pageSize?: number;
}

export const pageSizeDefault = 1000;

export function filterQuery(filter: PriceFilter): string {
  const { productIds = [], from, to, order, pageSize = pageSizeDefault } = filter;
  const parameters = new URLSearchParams();
  for (const productId of productIds) parameters.append('productId', productId);
  if (from !== undefined) parameters.set('from', instantText(from));
  if (to !== undefined) parameters.set('to', instantText(to));
  if (order !== undefined) parameters.set('order', order);
  parameters.set('pageSize', String(pageSize));
  return parameters.toString();
}

/** RFC 3339; a `Date` has milliseconds only. */
export function instantText(instant: string | Date): string {
  return typeof instant === 'string' ? instant : instant.toISOString();
}
