import type { Fault } from './fault.ts';
import { httpAbuse } from './faults/http-abuse.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { killLargeStore } from './faults/kill-large-store.ts';
import { mixedHistories } from './faults/mixed-histories.ts';
import { noFault } from './faults/no-fault.ts';
import { slowSocketsFault } from './faults/slow-sockets.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  noFault,
  killAtRandom,
  killLargeStore,
  mixedHistories,
  httpAbuse,
  slowSocketsFault,
];
