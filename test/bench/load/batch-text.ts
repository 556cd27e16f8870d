import { ProductChoice } from './product-choice.ts';

const chunkLines = 1000;

/** The lines of an NDJSON batch, in chunks of at most a thousand lines. */
export function makeBatch(records: number, products: number): readonly Buffer[] {
  const choice = new ProductChoice(products);
  return Array.from({ length: Math.ceil(records / chunkLines) }, (_, index) => {
    const length = Math.min(chunkLines, records - index * chunkLines);
    return Buffer.from(Array.from({ length }, () => line(choice)).join(''));
  });
}

function line(choice: ProductChoice): string {
  const { productId, cents } = choice.next();
  return `{"productId":"${productId}","price":${(cents / 100).toFixed(2)}}\n`;
}
