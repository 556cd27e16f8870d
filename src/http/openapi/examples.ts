/* One record in all the forms in which the examples show it. */

const record = {
  seq: 2,
  batch: 2,
  productId: 'foo',
  version: 2,
  previousPrice: 3.5,
  newPrice: 3.55,
  timestamp: '2026-11-21T09:34:41.096733Z',
};

const notes = { currency: 'EUR', source: 'crawler', reason: 'competitor' };

const place = { file: 'results/date=2026-11-21/00000000000000000001.ndjson', offset: 146 };

export const examplePrice = {
  productId: 'foo',
  price: 3.55,
  timestamp: 1795253681.096733,
  previousPrice: 3.5,
  version: 2,
  seq: 2,
};

export const exampleUpdate = { productId: 'foo', price: 3.55, ...notes };

export const exampleReceipt = { ...record, ...notes, unchanged: false, ...place, length: 204 };

/** Of an update with nothing noted beside its price. */
export const exampleShortReceipt = { ...record, unchanged: false, ...place, length: 146 };
