import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProbeReading } from './probe.ts';

/* Runs inside the service, before its first line: see `Probe`. */

const file = process.env['PROBE_FILE'] ?? '';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

process.on('SIGUSR2', () => {
  collectGarbage();
  report();
});
process.on('exit', report);

function report(): void {
  const { user, system } = process.cpuUsage();
  const reading: ProbeReading = {
    pid: process.pid,
    cpuMs: (user + system) / 1000,
    heapBytes: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo().length,
  };
  appendFileSync(file, `${JSON.stringify(reading)}\n`);
}
