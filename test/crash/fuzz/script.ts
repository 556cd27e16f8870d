import { FastRandom } from '../../support/fast-random.ts';
import { mutatedRequest } from './mutated-request.ts';

const requestsMax = 40;

/**
 * What is said in a conversation, one request after the other. It follows from the seed and the
 * conversation's number, 1 and up, so that it can be told again and nobody has to remember it.
 *
 * Every write has a price that no other of the same seed has, unless a mutation gives it another's.
 */
export function scriptOf(seed: number, conversation: number): readonly string[] {
  const random = new FastRandom(seed + conversation);
  return Array.from({ length: 1 + random.integer(requestsMax) }, (_, index) =>
    mutatedRequest(random, `${conversation * 100 + index}.25`),
  );
}
