import { setTimeout as delay } from 'node:timers/promises';
import type { RateBucket } from '../../access/rate-bucket.ts';

/** How long a batch waits to have more lines recorded together. */
const gatherMs = 100;

/**
 * Cuts the lines of a batch into groups of at most `linesMax`, each given when the client's rate has room
 * for it. Where the rate has room for more than one, one is left for another request of the client, so
 * that a long batch does not keep all of those out.
 */
export async function* pacedGroups<Line>(
  lines: readonly Line[],
  linesMax: number,
  rate: RateBucket | undefined,
): AsyncGenerator<readonly Line[]> {
  for (let start = 0; start < lines.length; ) {
    const size = Math.min(linesMax, lines.length - start);
    const end = start + (rate === undefined ? size : await takeSome(rate, size));
    yield lines.slice(start, end);
    start = end;
  }
}

async function takeSome(rate: RateBucket, countMax: number): Promise<number> {
  const wanted = Math.min(countMax, rate.inMs(gatherMs));
  for (;;) {
    const waitMs = rate.msUntil(wanted + 1);
    if (waitMs === 0) return rate.take(Math.min(countMax, Math.max(1, rate.level - 1)));
    await delay(waitMs);
  }
}
