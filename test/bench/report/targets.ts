import { presentSkip, type SuiteResult } from './measure.ts';
import { spreadOf } from './statistics.ts';

/** Where the median of a ratio should lie. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** What is aimed at: ratios of one run on one machine, with data on a disk. */
export const targets = {
  write: {
    'bare Koa': { atLeast: 1.3 },
    'Koa + Redis': { atLeast: 1.5 },
    'Koa + PostgreSQL': { atLeast: 3 },
    'Koa + SQLite': { atLeast: 5 },
  },
  read: { 'bare Koa': { atLeast: 0.95 } },
  bulk: {
    'Koa + SQLite': { atLeast: 2.5 },
    'Koa + PostgreSQL': { atLeast: 3 },
    'one thread': { atLeast: 0.6 },
  },
  /** The largest store by the smallest. */
  pageInTheMiddle: { atMost: 2 },
  startUp: { atMost: 2 },
  /** The largest store by the one before it. */
  heap: { atMost: 1.1 },
  /** By plain copying of the same files through a socket. */
  rangeStream: { atLeast: 0.3 },
  /** The 99th percentile of a reprice while product files are written, by that while none are. */
  tail: { atMost: 2 },
  /** Milliseconds that the event loop is late meanwhile, the 10 ms of its sampling included. */
  tailEventLoop: { atMost: 20 },
} as const;

export function isMet(target: Target, values: readonly number[]): boolean {
  const { median } = spreadOf(values);
  return 'atLeast' in target ? median >= target.atLeast : median <= target.atMost;
}

export function presentTarget(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** A sentence for each target that was missed, and for each that could not be measured. */
export function missedTargets(suites: Readonly<Record<string, SuiteResult>>): readonly string[] {
  return Object.entries(suites).flatMap(([suite, { measures, skipped }]) => [
    ...measures.flatMap(({ title, ratios }) =>
      ratios.flatMap(({ title: ratio, values, target }) => {
        if (target === undefined || isMet(target, values)) return [];
        const median = spreadOf(values).median.toFixed(2);
        return [`${suite}: ${title}, ${ratio}: ${median}, and should be ${presentTarget(target)}`];
      }),
    ),
    ...skipped
      .filter(({ subject }) => isAimedAt(suite, subject))
      .map((skip) => `${suite}: no ${presentSkip(skip)}`),
  ]);
}

/** Whether a target of the suite names it. */
function isAimedAt(suite: string, subject: string): boolean {
  const aims: Readonly<Record<string, object>> = targets;
  return subject in (aims[suite] ?? {});
}
