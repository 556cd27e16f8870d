import type { Fault } from './fault.ts';
import { httpAbuse } from './faults/http-abuse.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { lostPages } from './faults/lost-pages.ts';
import { mixedHistories } from './faults/mixed-histories.ts';
import { noFault } from './faults/no-fault.ts';
import { powerCut } from './faults/power-cut.ts';
import { readOnly } from './faults/read-only.ts';
import { slowDisk } from './faults/slow-disk.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  noFault,
  killAtRandom,
  killLargeStore,
  mixedHistories,
  httpAbuse,
];
