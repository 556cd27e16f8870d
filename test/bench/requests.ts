import type { LoadJob } from './load-job.ts';

/** So many requests are made beforehand and then repeated, so that making them costs nothing meanwhile. */
const requestsMade = 10_007;

/** Finished requests for products in an order that looks random and is the same in every run. */
export function makeRequests({ route, port, products }: LoadJob): readonly Buffer[] {
  const make = route === 'reprice' ? repriceRequest : priceRequest;
  let random = 1;
  return Array.from({ length: requestsMade }, () => {
    // Park and Miller's generator; its products stay below 2^53.
    random = (random * 48_271) % 2_147_483_647;
    const cents = 1 + (random % 100_000);
    return Buffer.from(make(`127.0.0.1:${port}`, `product-${random % products}`, cents));
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

function priceRequest(host: string, productId: string): string {
  return `GET /api/product/${productId}/price HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`;
}
