import { servePeer } from './peer-front.ts';

/*
 * What the service is measured against: the same frame with nothing in it. A write is parsed and
 * answered, and nothing is kept; a read answers a fixed object of the size that the service answers with.
 */

const price = {
  productId: 'product-123',
  price: 123.45,
  timestamp: 1795223475.355823,
  previousPrice: 678.9,
  version: 1234,
  seq: 123456,
};

await servePeer({
  groupLines: 1000,
  reprice: async () => {},
  repriceAll: async () => {},
  price: async () => price,
});
