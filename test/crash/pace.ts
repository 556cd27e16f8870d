import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildService } from '../support/child-service.ts';
import { TrialOwner } from './trial-owner.ts';

/** A start on an empty directory that takes no longer leaves the bounds in milliseconds as they are. */
const startMs = 500;
const starts = 3;

/**
 * How many times as long a start takes on this machine, at least 1, by the best of a few starts. What has a bound
 * in milliseconds is given so many times as much, so that what is found is a fault and no slow machine.
 */
export async function measurePace(): Promise<number> {
  const owner = new TrialOwner();
  const directory = await mkdtemp(join(tmpdir(), 'repricer-pace-'));
  try {
    let bestMs = Number.POSITIVE_INFINITY;
    for (let start = 0; start < starts; start += 1) {
      const beganMs = performance.now();
      const service = await ChildService.start(owner, join(directory, String(start)));
      bestMs = Math.min(bestMs, performance.now() - beganMs);
      await service.kill('SIGTERM');
    }
    return Math.max(1, bestMs / startMs);
  } finally {
    await owner.end();
    await rm(directory, { recursive: true });
  }
}
