import type { Fault } from './fault.ts';
import { killAtRandom } from './faults/kill-at-random.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [killAtRandom];
