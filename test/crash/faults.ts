import type { Fault } from './fault.ts';
import { shortAndInterrupted } from './faults/interruptions.ts';
import { ioErrors } from './faults/io-errors.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { mixedHistories } from './faults/mixed-histories.ts';
import { noFault } from './faults/no-fault.ts';
import { powerCut } from './faults/power-cut.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  noFault,
  killAtRandom,
  powerCut,
  ioErrors,
  shortAndInterrupted,
  mixedHistories,
];
