import type { Fault } from './fault.ts';
import { brokenConnections } from './faults/broken-connections.ts';
import { brokenNetwork } from './faults/broken-network.ts';
import { clock } from './faults/clock.ts';
import { crashDuringRecovery } from './faults/crash-during-recovery.ts';
import { crashStatesFault } from './faults/crash-states.ts';
import { damagedFiles } from './faults/damaged-files.ts';
import { diskFull } from './faults/disk-full.ts';
import { exhaustion } from './faults/exhaustion.ts';
import { fuzzedStores } from './faults/fuzzed-stores.ts';
import { httpAbuse } from './faults/http-abuse.ts';
import { shortAndInterrupted } from './faults/interruptions.ts';
import { ioErrors } from './faults/io-errors.ts';
import { ioErrorsByStrace } from './faults/io-errors-by-strace.ts';
import { killAtPoints } from './faults/kill-at-points.ts';
import { killAtRandom } from './faults/kill-at-random.ts';
import { killLargeStore } from './faults/kill-large-store.ts';
import { leaks } from './faults/leaks.ts';
import { lostPages } from './faults/lost-pages.ts';
import { mixedHistories } from './faults/mixed-histories.ts';
import { noFault } from './faults/no-fault.ts';
import { overload } from './faults/overload.ts';
import { pause } from './faults/pause.ts';
import { powerCut } from './faults/power-cut.ts';
import { readOnly } from './faults/read-only.ts';
import { restore } from './faults/restore.ts';
import { secondProcess } from './faults/second-process.ts';
import { slowDisk } from './faults/slow-disk.ts';
import { slowSocketsFault } from './faults/slow-sockets.ts';
import { terminate } from './faults/terminate.ts';
import { tornTail } from './faults/torn-tail.ts';
import { upgrade } from './faults/upgrade.ts';

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
  tornTail,
  damagedFiles,
  crashDuringRecovery,
  secondProcess,
  clock,
  pause,
  exhaustion,
  brokenNetwork,
  brokenConnections,
  terminate,
  overload,
  httpAbuse,
  slowSocketsFault,
  fuzzedStores,
  mixedHistories,
  restore,
  upgrade,
  leaks,
];
