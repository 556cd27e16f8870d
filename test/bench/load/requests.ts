import type { RequestMix } from './load-job.ts';
import { ProductChoice } from './product-choice.ts';

/** So many requests are made beforehand and then repeated, so that making them costs nothing meanwhile. */
export const requestsMade = 10_007;

/** Finished requests for the server at a port. */
export function makeRequests(mix: RequestMix, port: number): readonly Buffer[] {
  const host = `127.0.0.1:${port}`;
  if (mix.route === 'get') return mix.paths.map((path) => Buffer.from(getRequest(host, path)));
  const choice = new ProductChoice(mix.products);
  return Array.from({ length: requestsMade }, () => {
    const { productId, cents } = choice.next();
    return Buffer.from(
      mix.route === 'reprice'
        ? repriceRequest(host, productId, cents)
        : getRequest(host, `/api/product/${productId}/price`),
    );
  });
}

function repriceRequest(host: string, productId: string, cents: number): string {
  const price = (cents / 100).toFixed(2);
  const body = `{"productId":"${productId}","price":${price}}`;
  return (
    `POST /api/reprice HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

function getRequest(host: string, path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`;
}
