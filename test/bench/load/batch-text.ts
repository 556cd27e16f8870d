import { EachProduct } from './each-product.ts';
import { ProductChoice } from './product-choice.ts';

const chunkLines = 1000;

/** The lines of an NDJSON batch, in chunks of at most a thousand lines; `products` as in `UploadJob`. */
export function makeBatch(records: number, products: number | 'each once'): readonly Buffer[] {
  const source = products === 'each once' ? new EachProduct() : new ProductChoice(products);
  return Array.from({ length: Math.ceil(records / chunkLines) }, (_, index) => {
    const length = Math.min(chunkLines, records - index * chunkLines);
    return Buffer.from(Array.from({ length }, () => line(source)).join(''));
  });
}

function line(source: EachProduct | ProductChoice): string {
  const { productId, cents } = source.next();
  return `{"productId":"${productId}","price":${(cents / 100).toFixed(2)}}\n`;
}
