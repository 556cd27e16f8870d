/** How large a store is that was made by `makeStore`. */
export interface StoreSize {
  /** Half of them are of one product, whose history is the longest; the others take turns. */
  readonly records: number;
  /** Beside that one. */
  readonly products: number;
}

/** `1000000/100000`: records, and products. Throws an error with the broken rule. */
export function parseStoreSize(text: string): StoreSize {
  const [records = Number.NaN, products = Number.NaN] = text.split('/').map(Number);
  const isGood =
    Number.isInteger(records) &&
    Number.isInteger(products) &&
    records <= 100_000_000 &&
    products >= 1 &&
    records >= 2 * products;
  if (isGood) return { records, products };
  throw new Error(
    '--sizes must be like 1000000/100000, with at least two records for each product',
  );
}

export function presentSize({ records, products }: StoreSize): string {
  const [many, few] = [records, products].map((count) => count.toLocaleString('en-US'));
  return `${many} records of ${few} products`;
}
