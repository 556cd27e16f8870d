import { isProductId, type ProductId, productIdProblem } from '../../model/product-id.ts';
import { pointerTo, refuseFields } from './field-problems.ts';

/**
 * The product id in a path segment as it was sent. It is decoded here and not by the router, which
 * takes a broken percent-encoding for plain text.
 */
export function parsePathProductId(segment: string | undefined): ProductId {
  const id = decode(segment ?? '');
  if (isProductId(id)) return id;
  throw refusal(productIdProblem(id) ?? 'is not a product id');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) throw refusal('must be percent-encoded UTF-8');
    throw error;
  }
}

function refusal(detail: string): Error {
  const fields = [{ pointer: pointerTo(['productId']), detail }];
  return refuseFields('The product id in the path breaks the rule in "errors".', fields);
}
