import type { Fault } from './fault.ts';
import { httpAbuse } from './faults/http-abuse.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { pause } from './faults/pause.ts';
import { secondProcess } from './faults/second-process.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [killAtRandom, secondProcess, pause];
