import type { Need } from '../support/needs.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Checker } from './checker.ts';
import type { TrialOwner } from './trial-owner.ts';

/** How much of every fault is tried: `quick` with every change, `soak` before a release. */
export type Size = 'quick' | 'soak';

/** A row of the table of faults: what is done to the service, again and again. */
export interface Fault {
  /** As in docs/reliability.md: `F1`. */
  readonly id: string;
  /** What happens, in a few words: `SIGKILL at a random time`. */
  readonly title: string;
  /** What the machine must have; where something is missing the row says SKIPPED, and why. */
  readonly needs: readonly Need[];
  /** Set when it compares times, so that no other fault may run beside it. */
  readonly isTimed?: boolean;
  run(run: FaultRun): Promise<void>;
}

/** What one trial showed. All that is left out is 0 or empty. */
export interface Evidence {
  /** Records that a client saw acknowledged, in this trial alone. */
  readonly acknowledged?: number;
  /** Acknowledged records that are not there, or not as they were acknowledged. */
  readonly lost?: number;
  /** Records that are there though nobody asked for them or the request was refused. */
  readonly phantom?: number;
  /** Everything else that must hold and did not, a sentence each. */
  readonly violations?: readonly string[];
}

/** What a fault is given for its trials. */
export interface FaultRun {
  readonly size: Size;
  /** How many times as long as on other machines everything may take here; at least 1. */
  readonly pace: number;
  /** Seeded from the campaign's seed and the fault's id. */
  readonly random: SeededRandom;
  /** An empty directory on the real disk, removed when the fault is done. */
  readonly directory: string;
  /** The independent checker, for all trials. */
  readonly checker: Checker;
  /** Ends with the run what is started for all of it. */
  readonly owner: TrialOwner;
  /**
   * Makes one trial and counts it. What `act` throws is a violation of the trial's, never the end of the
   * run. `act` is given an owner that ends with the trial.
   */
  trial(name: string, act: (owner: TrialOwner) => Promise<Evidence>): Promise<void>;
  /** A line for the reader beside the table: a figure, a seed, what was found. */
  note(text: string): void;
}
