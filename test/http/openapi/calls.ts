import { encodeCursor } from '../../../src/http/read/page-cursor.ts';
import { encodeProductCursor } from '../../../src/http/read/product-cursor.ts';
import { bearer } from '../../support/tokens.ts';
import type { DescribedCall } from './described-api.ts';

/** The cursor to the page after record 1, and to the first of the products. */
const pageCursor = encodeCursor({ side: 'after', seq: 1 }, { productIds: [], order: 'asc' });
const productCursor = encodeProductCursor({ prefix: '', after: '0' });

/** A request and the status of its answer. */
export interface Call extends DescribedCall {
  readonly status: number;
  /** What it is refused with. */
  readonly problem?: string;
  /** Set where the document itself shows that the request is wrong. */
  readonly isWrong?: true;
  /** Set where the answer has no end, so that only its beginning is looked at. */
  readonly isEndless?: true;
}

const json = { 'Content-Type': 'application/json' };
const ndjson = { 'Content-Type': 'application/x-ndjson' };
const foo = { productId: 'foo' };
const day = { from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z' };

/**
 * Calls of every operation, good ones and refusals, in the order in which they are made on one ledger
 * that has the versions 1 (3.50) and 2 (3.55) of the product "foo".
 */
export const calls: Readonly<Record<string, readonly Call[]>> = {
  reprice: [
    { status: 202, headers: json, body: '{"productId":"bar","price":12.00}' },
    {
      status: 202,
      headers: { ...json, Prefer: 'return=representation', 'Idempotency-Key': 'bar-2' },
      body: '{"productId":"bar","price":"12.50","currency":"EUR","source":"s","reason":"r"}',
    },
    {
      status: 202,
      headers: { ...json, 'Idempotency-Key': 'bar-2' },
      body: '{"productId":"bar","price":"12.50","currency":"EUR","source":"s","reason":"r"}',
    },
    {
      status: 202,
      headers: {
        ...json,
        'If-Match': '"2"',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      },
      body: '{"productId":"bar","price":13,"expectedPreviousPrice":12.5}',
    },
    {
      status: 202,
      headers: { ...json, 'If-None-Match': '*' },
      body: '{"productId":"new","price":1,"expectedPreviousPrice":null}',
    },
    {
      status: 200,
      query: { dryRun: 'true', ifChanged: 'false' },
      headers: json,
      body: '{"productId":"bar","price":14,"source":"s"}',
    },
    {
      status: 200,
      query: { ifChanged: 'true' },
      headers: json,
      body: '{"productId":"bar","price":13}',
    },
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      headers: json,
      body: '{"productId":"","price":0,"currency":"euro","colour":"red"}',
    },
    { ...refused(400, 'bad-request'), isWrong: true, headers: json, body: '{"productId":"foo"' },
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      query: { dryRun: 'yes', dry: 'true' },
      headers: json,
      body: '{"productId":"foo","price":1}',
    },
    {
      ...refused(409, 'price-conflict'),
      headers: json,
      body: '{"productId":"foo","price":4,"expectedPreviousPrice":"9"}',
    },
    {
      ...refused(409, 'price-conflict'),
      headers: json,
      body: '{"productId":"none","price":4,"expectedPreviousPrice":"9"}',
    },
    {
      ...refused(412, 'precondition-failed'),
      headers: { ...json, 'If-Match': '"7", W/"x"' },
      body: '{"productId":"foo","price":4}',
    },
    {
      ...refused(413, 'body-too-large'),
      headers: json,
      body: `{"productId":"foo","price":4${' '.repeat(20_000)}}`,
    },
    {
      ...refused(415, 'unsupported-media-type'),
      isWrong: true,
      headers: { 'Content-Type': 'text/plain' },
      body: '{"productId":"foo","price":4}',
    },
    {
      ...refused(417, 'expectation-failed'),
      headers: { ...json, Expect: 'miracles' },
      body: '{"productId":"foo","price":4}',
    },
    {
      ...refused(422, 'idempotency-key-reused'),
      headers: { ...json, 'Idempotency-Key': 'bar-2' },
      body: '{"productId":"bar","price":99}',
    },
  ],
  repriceBatch: [
    {
      status: 200,
      headers: ndjson,
      body: '{"productId":"b","price":1.50,"idempotencyKey":"b-1"}\n{"productId":"b","price":"1.5"}\n',
    },
    {
      status: 200,
      headers: json,
      body: '[{"productId":"b","price":1.50,"idempotencyKey":"b-1"},{"productId":"c","price":3}]',
    },
    {
      status: 200,
      query: { dryRun: 'true', ifChanged: 'true' },
      headers: { 'Content-Type': 'application/jsonl', Accept: 'application/jsonl' },
      body: '{"productId":"b","price":1.50}\n{"productId":"b","price":7,"currency":"EUR"}\n',
    },
    {
      status: 200,
      isWrong: true,
      query: { atomic: 'false' },
      headers: { 'Content-Type': 'application/ndjson', Accept: 'application/ndjson' },
      body: '{"productId":"b","price":-1}\nnonsense\n{"productId":"b","price":2,"expectedPreviousPrice":9}\n',
    },
    ...['x-ndjson', 'jsonl', 'ndjson'].map((type) => ({
      status: 409,
      query: { atomic: 'true' },
      headers: { ...ndjson, Accept: `application/${type}` },
      body: '{"productId":"b","price":5}\n{"productId":"b","price":2,"expectedPreviousPrice":9}\n',
    })),
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      query: { atomic: '1' },
      headers: ndjson,
      body: '',
    },
    {
      ...refused(406, 'not-acceptable'),
      headers: { ...ndjson, Accept: 'text/html' },
      body: '{"productId":"b","price":5}',
    },
    {
      ...refused(415, 'unsupported-media-type'),
      isWrong: true,
      headers: { 'Content-Type': 'text/csv' },
      body: 'b,5',
    },
  ],
  price: [
    { status: 200, path: foo },
    { status: 200, path: foo, query: { at: '9999-12-31T23:59:59Z' } },
    { status: 304, path: foo, headers: { 'If-None-Match': '"2"' } },
    { ...refused(400, 'bad-request'), isWrong: true, path: foo, query: { at: 'yesterday' } },
    { ...refused(400, 'bad-request'), isWrong: true, path: { productId: '..' } },
    { ...refused(404, 'unknown-product'), path: { productId: 'none' } },
    { ...refused(404, 'no-price-yet'), path: foo, query: { at: '1999-12-31T23:59:59.5+01:00' } },
    { ...refused(406, 'not-acceptable'), path: foo, headers: { Accept: 'text/html' } },
  ],
  history: [
    { status: 200, path: foo, query: { ...day, interval: '12h' } },
    { status: 200, path: foo, query: { ...day, to: '2255-06-05T00:00:00Z', interval: '99999d' } },
    {
      ...refused(400, 'bad-request'),
      path: foo,
      query: { ...day, from: '1969-12-31T23:59:59Z', interval: '99999d' },
    },
    { ...refused(400, 'bad-request'), isWrong: true, path: foo, query: { ...day, interval: '1w' } },
    { ...refused(400, 'bad-request'), isWrong: true, path: foo },
    {
      ...refused(404, 'unknown-product'),
      path: { productId: 'none' },
      query: { ...day, interval: '1h' },
    },
  ],
  record: [
    { status: 200, path: { seq: '2' } },
    { ...refused(400, 'bad-request'), isWrong: true, path: { seq: '0' } },
    { ...refused(404, 'unknown-record'), path: { seq: '9007199254740991' } },
    { ...refused(406, 'not-acceptable'), path: { seq: '2' }, headers: { Accept: 'text/csv' } },
  ],
  query: [
    { status: 200 },
    {
      status: 200,
      query: { productId: ['foo', 'bar'], ...day, order: 'desc', pageSize: '2', pageNumber: '2' },
    },
    { status: 200, query: { productId: 'foo', pagesize: '1' } },
    { status: 200, query: { pageSize: '1', cursor: pageCursor } },
    { status: 200, headers: { Accept: 'application/x-ndjson' }, query: { order: 'desc' } },
    { status: 200, headers: { Accept: 'application/jsonl' } },
    { status: 200, headers: { Accept: 'application/ndjson' } },
    { status: 200, headers: { Accept: 'text/csv' }, query: { productId: 'foo' } },
    { ...refused(400, 'bad-request'), headers: { Accept: 'text/csv' }, query: { pageSize: '1' } },
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      query: { pageSize: '1001', order: 'up', page: '1' },
    },
    { ...refused(406, 'not-acceptable'), headers: { Accept: 'image/png' } },
  ],
  listProducts: [
    { status: 200, query: { prefix: 'fo', limit: '1' } },
    { status: 200, query: { limit: '1', cursor: productCursor } },
    { ...refused(400, 'bad-request'), isWrong: true, query: { limit: '0' } },
    { ...refused(400, 'bad-request'), query: { cursor: 'made-up' } },
    { ...refused(406, 'not-acceptable'), headers: { Accept: 'text/html' } },
  ],
  prices: [
    { status: 200, headers: json, body: '{"productIds":["foo","none","foo"]}' },
    { status: 200, headers: json, body: '{"productIds":["foo"],"waitMs":0}' },
    { ...refused(400, 'bad-request'), isWrong: true, headers: json, body: '{"productIds":[]}' },
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      headers: json,
      body: '{"productIds":["foo",".."],"waitMs":1.5}',
    },
    {
      ...refused(415, 'unsupported-media-type'),
      isWrong: true,
      headers: ndjson,
      body: '{"productIds":["foo"]}',
    },
  ],
  stream: [
    { status: 200, isEndless: true, query: { productId: 'foo', after: '0' } },
    { status: 200, isEndless: true, headers: { 'Last-Event-ID': '1' } },
    { ...refused(400, 'bad-request'), isWrong: true, query: { after: '-1' } },
    { ...refused(400, 'bad-request'), query: { after: '9007199254740991' } },
    { ...refused(406, 'not-acceptable'), headers: { Accept: 'text/html' } },
  ],
  listClients: [
    { status: 200, headers: bearer('operator') },
    {
      ...refused(400, 'bad-request'),
      isWrong: true,
      query: { name: 'crawler' },
      headers: bearer('operator'),
    },
    { ...refused(401, 'unauthenticated') },
    {
      ...refused(406, 'not-acceptable'),
      headers: { ...bearer('operator'), Accept: 'text/csv' },
    },
  ],
  openApiDocument: [
    { status: 200 },
    { status: 304, headers: { 'If-None-Match': '*' } },
    { ...refused(400, 'bad-request'), isWrong: true, query: { pretty: 'true' } },
    { ...refused(406, 'not-acceptable'), headers: { Accept: 'text/yaml' } },
  ],
  docsPage: [
    { status: 200 },
    { status: 304, headers: { 'If-None-Match': '*' } },
    { ...refused(400, 'bad-request'), isWrong: true, query: { theme: 'dark' } },
  ],
  docsFile: [
    { status: 304, path: { file: 'start.js' }, headers: { 'If-None-Match': '*' } },
    { status: 200, path: { file: 'swagger-ui-bundle.js' } },
    { status: 200, path: { file: 'swagger-ui.css' } },
    { status: 200, path: { file: 'start.js' } },
    { ...refused(404, 'not-found'), isWrong: true, path: { file: 'package.json' } },
  ],
};

function refused(status: number, problem: string) {
  return { status, problem: `/problems/${problem}` };
}
