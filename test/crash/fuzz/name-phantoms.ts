import type { StoredRecord } from '../checker/stored-record.ts';
import { leadingOf } from './attribution.ts';
import { isWellFramed } from './is-well-framed.ts';
import { pricesIn } from './prices-in.ts';
import { scriptOf } from './script.ts';

/** More of them say nothing new. */
const namedMax = 20;
const textMax = 2000;

/**
 * A sentence for each of the first records that nobody should have made, with the requests that asked
 * for its price and their answers. `statuses` are those of all answers but interim ones, by conversation.
 */
export function namePhantoms(
  phantoms: readonly StoredRecord[],
  seed: number,
  statuses: ReadonlyMap<number, readonly number[]>,
): readonly string[] {
  const named = phantoms.slice(0, namedMax);
  const senders = new Map(named.map(({ newPrice }) => [newPrice, [] as string[]]));
  if (named.length === 0) return [];
  for (const [conversation, answered] of statuses) {
    const script = scriptOf(seed, conversation);
    const ordered = leadingOf(script, isWellFramed);
    for (const [index, request] of script.entries()) {
      const outcome =
        index < ordered ? (answered[index] ?? 'not') : `any of ${answered.slice(ordered)}`;
      const text = JSON.stringify(request).slice(0, textMax);
      const sender = `request ${index} of conversation ${conversation}, answered ${outcome}: ${text}`;
      for (const price of pricesIn(request)) senders.get(price)?.push(sender);
    }
  }
  return named.map(({ line, newPrice }) => {
    const [first = 'nobody', ...others] = senders.get(newPrice) ?? [];
    const more = others.length > 0 ? ` – and ${others.length} more` : '';
    return `phantom: ${line} – its price was asked for by ${first}${more}`;
  });
}
