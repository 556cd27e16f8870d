import type { Fault } from './fault.ts';
import { brokenConnections } from './faults/broken-connections.ts';
import { brokenNetwork } from './faults/broken-network.ts';
import { clock } from './faults/clock.ts';
import { exhaustion } from './faults/exhaustion.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { leaks } from './faults/leaks.ts';
import { overload } from './faults/overload.ts';
import { pause } from './faults/pause.ts';
import { restore } from './faults/restore.ts';
import { secondProcess } from './faults/second-process.ts';
import { terminate } from './faults/terminate.ts';
import { upgrade } from './faults/upgrade.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  killAtRandom,
  secondProcess,
  clock,
  pause,
  exhaustion,
  brokenNetwork,
  brokenConnections,
  terminate,
  overload,
  restore,
  upgrade,
  leaks,
];
