import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until.ts';

/** Resolves when no thread of a process runs any more: after SIGSTOP a system call may still be under way. */
export function isStopped(pid: number): Promise<void> {
  return until(`process ${pid} stands still`, () =>
    readdirSync(`/proc/${pid}/task`).every((thread) =>
      /^State:\tT/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    ),
  );
}

/** How many files, sockets and the like it has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Memory of a process that is in the machine, or the most that ever was; in bytes. */
export function residentBytes(pid: number, which: 'now' | 'most'): number {
  return statusBytes(pid, which === 'now' ? 'VmRSS' : 'VmHWM');
}

/** Addresses that a process has taken, in bytes. */
export function addressSpaceBytes(pid: number): number {
  return statusBytes(pid, 'VmSize');
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}
