import { execFileSync } from 'node:child_process';
import test from 'ava';
import { cpuSecondsOf } from './process-cpu.ts';

test('what a process and its ended children used is counted, and what others use is not', (t) => {
  const before = cpuSecondsOf([process.pid]);

  execFileSync(process.execPath, [
    '-e',
    'const start = process.cpuUsage(); while (process.cpuUsage(start).user < 200_000);',
  ]);

  const used = cpuSecondsOf([process.pid]) - before;
  t.true(used >= 0.15, `${used} s`);
  t.is(cpuSecondsOf([]), 0);
});
