import { RepricerError } from '../errors.ts';
import { isSameAmount, type Price } from '../model/price.ts';
import type { Head, Terms } from './reprice.ts';

/** Throws `PRECONDITION_FAILED` or `PRICE_CONFLICT` when a product at `head` does not meet the terms. */
export function requireTerms(terms: Terms, head: Head): void {
  const { mustBeNew = false, versions, expectedPreviousPrice } = terms;
  if (mustBeNew && head.version > 0) {
    throw unmet(`the product already has a price, version ${head.version}`);
  }
  if (versions === 'any' && head.version === 0) throw unmet('the product has no price yet');
  if (Array.isArray(versions) && !versions.includes(head.version)) {
    throw unmet(
      head.version === 0 ? 'the product has no price yet' : `it is at version ${head.version}`,
    );
  }
  if (expectedPreviousPrice !== undefined && !isAmount(head.price, expectedPreviousPrice)) {
    throw new RepricerError(
      'PRICE_CONFLICT',
      `the current price is ${head.price ?? 'none'}, version ${head.version}; nothing was recorded`,
      { current: head },
    );
  }
}

/** Whether a product that has this price, or none, would get the same amount again. */
export function isAmount(current: Price | null, price: Price | null): boolean {
  return current === null || price === null ? current === price : isSameAmount(current, price);
}

function unmet(why: string): RepricerError {
  return new RepricerError('PRECONDITION_FAILED', `${why}; nothing was recorded`);
}
