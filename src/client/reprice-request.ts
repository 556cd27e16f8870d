/** What may be noted beside a price. */
export interface Annotations {
  /** ISO 4217 code. */
  readonly currency?: string;
  /** Who or what set the price, at most 200 characters. */
  readonly source?: string;
  /** Why, at most 200 characters. */
  readonly reason?: string;
}

/** A reprice as a line of a batch, and as the body of a request. */
export interface BatchLine extends Annotations {
  readonly productId: string;
  /** A positive decimal such as `'3.50'`. */
  readonly price: string;
  /** The price that is to be replaced, null for none; any other is a price conflict. */
  readonly expectedPreviousPrice?: string | null;
  /** What this reprice is named by, so that it is recorded once however often it is sent; a random one by default. */
  readonly idempotencyKey?: string;
}

/** How a price is to be recorded. */
export interface RepriceOptions extends Omit<BatchLine, 'productId' | 'price'> {
  /** The version that is to be replaced; any other is 412. */
  readonly ifMatch?: number;
  /** Only as the product's first price, else 412. */
  readonly mustBeNew?: boolean;
  /** Records nothing when the price is this amount already. */
  readonly ifChanged?: boolean;
  /** Makes all checks and records nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What is sent of a reprice with these options, but for its address. */
export function repriceRequest(
  productId: string,
  price: string,
  options: RepriceOptions,
): RequestInit & { readonly headers: Headers } {
  const { ifMatch, mustBeNew, idempotencyKey = crypto.randomUUID() } = options;
  const { currency, source, reason, expectedPreviousPrice } = options;
  const headers = new Headers({
    'Content-Type': 'application/json',
    Accept: 'application/json',
    Prefer: 'return=representation',
    'Idempotency-Key': idempotencyKey,
  });
  if (ifMatch !== undefined) headers.set('If-Match', `"${ifMatch}"`);
  if (mustBeNew === true) headers.set('If-None-Match', '*');
  const fields = { productId, price, currency, source, reason, expectedPreviousPrice };
  return { method: 'POST', headers, body: JSON.stringify(fields) };
}
