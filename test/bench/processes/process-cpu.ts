import { readdirSync, readFileSync } from 'node:fs';
import { errnoOf } from '../../../src/errors.ts';

/** The kernel counts in hundredths of a second for every program (`man 5 proc`). */
const ticksPerSecond = 100;

interface Usage {
  readonly parent: number;
  /** That of children that have ended included. */
  readonly ticks: number;
}

/** Seconds of processor time that these processes, and all that they have started, have used. */
export function cpuSecondsOf(roots: readonly number[]): number {
  const usages = new Map(runningPids().map((pid) => [pid, usageOf(pid)]));
  const isBelow = (pid: number): boolean => {
    const parent = usages.get(pid)?.parent;
    return roots.includes(pid) || (parent !== undefined && parent > 1 && isBelow(parent));
  };
  const ticks = [...usages].map(([pid, usage]) => (isBelow(pid) ? (usage?.ticks ?? 0) : 0));
  return ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond;
}

function runningPids(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** Undefined for a process that has ended since it was listed. */
function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything, so fields are counted from its end.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11);
    return { parent: fields[1] ?? 0, ticks: user + system + childrenUser + childrenSystem };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
