import type { Fault } from './fault.ts';
import { crashStatesFault } from './faults/crash-states.ts';
import { diskFull } from './faults/disk-full.ts';
import { httpAbuse } from './faults/http-abuse.ts';
import { shortAndInterrupted } from './faults/interruptions.ts';
import { ioErrors } from './faults/io-errors.ts';
import { ioErrorsByStrace } from './faults/io-errors-by-strace.ts';
import { killAtPoints } from './faults/kill-at-points.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { killLargeStore } from './faults/kill-large-store.ts';
import { lostPages } from './faults/lost-pages.ts';
import { mixedHistories } from './faults/mixed-histories.ts';
import { noFault } from './faults/no-fault.ts';
import { pause } from './faults/pause.ts';
import { powerCut } from './faults/power-cut.ts';
import { readOnly } from './faults/read-only.ts';
import { secondProcess } from './faults/second-process.ts';
import { slowDisk } from './faults/slow-disk.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  noFault,
  killAtRandom,
  killLargeStore,
  killAtPoints,
  powerCut,
  crashStatesFault,
  ioErrors,
  ioErrorsByStrace,
  lostPages,
  diskFull,
  shortAndInterrupted,
  readOnly,
  slowDisk,
  secondProcess,
  pause,
  httpAbuse,
  mixedHistories,
];
