import type { AnswerFields } from './answer-fields.ts';
import type { BatchLine } from './reprice-request.ts';
import { type Draft, readUnrecorded, type Unchanged } from './reprice-result.ts';
import { type RepricerProblem, readProblem } from './repricer-problem.ts';

/** What became of a line of a batch. */
export type LineOutcome = LineRecorded | Unchanged | Draft | LineRefused;

export interface LineRecorded {
  readonly kind: 'recorded';
  readonly seq: number;
  readonly version: number;
  /** Whether the price is the same amount as the one that it replaced. */
  readonly unchanged: boolean;
  /** Whether it had been recorded under its key before, as when its first result got lost. */
  readonly replayed: boolean;
}

/** Nothing was recorded. */
export interface LineRefused {
  readonly kind: 'refused';
  readonly problem: RepricerProblem;
}

/** A line, which one it was (from 1), and what became of it. */
export type LineResult = LineOutcome & {
  readonly line: number;
  readonly update: BatchLine;
};

export function readLineOutcome(fields: AnswerFields): LineOutcome {
  if (fields.has('problem')) {
    return { kind: 'refused', problem: readProblem(fields.object('problem')) };
  }
  if (!fields.has('seq')) return readUnrecorded(fields);
  return {
    kind: 'recorded',
    seq: fields.number('seq'),
    version: fields.number('version'),
    unchanged: fields.flag('unchanged'),
    replayed: fields.flag('replayed'),
  };
}
