import { listClients } from './client-operations.ts';
import { docsFile, docsPage, openApiDocument } from './documentation-operations.ts';
import type { Operation } from './operation.ts';
import { describeListProducts, prices } from './product-operations.ts';
import { describeQuery, history, price, record } from './read-operations.ts';
import { stream } from './stream-operation.ts';
import { reprice, repriceBatch } from './write-operations.ts';

/**
 * Everything that can be asked of the service, in the order in which it is described. A route of app.ts
 * that is missing here fails a test, and so does an operation that the tests do not call.
 */
export function createOperations(pageSizeMax: number): readonly Operation[] {
  return [
    reprice,
    repriceBatch,
    price,
    history,
    record,
    describeQuery(pageSizeMax),
    describeListProducts(pageSizeMax),
    prices,
    stream,
    listClients,
    openApiDocument,
    docsPage,
    docsFile,
  ];
}
