import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { lackOf } from '../support/needs.ts';
import type { Evidence, Fault, Size } from './fault.ts';

/** What the process of a fault tells. */
export type FaultReport =
  | { readonly trial: string; readonly evidence: Evidence }
  | { readonly note: string }
  | { readonly failure: string };

/** All trials of one fault, added up. */
export interface FaultResult {
  readonly id: string;
  readonly title: string;
  readonly trials: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly phantom: number;
  /** Each with the name of its trial; the first hundred. */
  readonly violations: readonly string[];
  readonly violationCount: number;
  readonly notes: readonly string[];
  readonly seconds: number;
  /** Why it did not run. */
  readonly skipped?: string;
  /** What ended it outside any trial. It says nothing about the service. */
  readonly failure?: string;
}

export interface CampaignOptions {
  readonly size: Size;
  readonly seed: string;
  /** See `measurePace`. */
  readonly pace: number;
  /** The root of the build whose service is tried and whose faults are used. */
  readonly build: string;
  /** A fault that takes longer has hung, and is ended. */
  readonly faultMinutesMax: number;
  /** Ends a fault with its first violation. */
  readonly isFirstEnough?: boolean;
  readonly onProgress?: (text: string) => void;
}

/** In a mount namespace of its own, so that what a fault mounts is gone when its last process is. */
const withOwnMounts = {
  execPath: 'unshare',
  execArgv: ['--mount', process.execPath, ...process.execArgv],
};

/** How many faults run beside one another; most of them wait most of the time. */
const lanes = { quick: 3, soak: 4 };

/** Runs faults, each in a process of its own: a few at a time, then those that compare times one by one. */
export async function runCampaign(
  faults: readonly Fault[],
  options: CampaignOptions,
): Promise<readonly FaultResult[]> {
  const results = new Map<Fault, FaultResult>();
  const runNext = async (waiting: Fault[]) => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
      results.set(fault, await runFault(fault, options));
    }
  };
  const untimed = faults.filter(({ isTimed }) => isTimed !== true);
  await Promise.all(Array.from({ length: lanes[options.size] }, () => runNext(untimed)));
  await runNext(faults.filter(({ isTimed }) => isTimed === true));
  return faults.flatMap((fault) => results.get(fault) ?? []);
}

/** Whether it did all that it had to, or says why it could not. */
export function isGood({ trials, violationCount, skipped, failure }: FaultResult): boolean {
  return skipped !== undefined || (trials > 0 && violationCount === 0 && failure === undefined);
}

async function runFault(fault: Fault, options: CampaignOptions): Promise<FaultResult> {
  const tally = new Tally(fault);
  const lacks = fault.needs.flatMap((need) => lackOf(need) ?? []);
  if (lacks.length > 0) return tally.result(lacks.join('; '));
  options.onProgress?.(`${fault.id} ${fault.title} …`);
  const module = join(options.build, 'test/crash/fault-process.js');
  const child = fork(module, [fault.id, options.size, options.seed, String(options.pace)], {
    detached: true,
    ...(fault.needs.includes('mounts') && withOwnMounts),
  });
  const timer = setTimeout(() => {
    tally.fail(`not done in ${options.faultMinutesMax} minutes`);
    endGroup(child);
  }, options.faultMinutesMax * 60_000);
  const endWithUs = () => endGroup(child);
  process.once('exit', endWithUs);
  const end = endOf(child);
  child.on('message', (report: FaultReport) => {
    if ('note' in report) return tally.note(report.note);
    if ('failure' in report) return tally.fail(report.failure);
    tally.add(report.trial, report.evidence);
    if (options.isFirstEnough === true && tally.hasViolation) endGroup(child);
  });
  const problem = await end;
  clearTimeout(timer);
  endGroup(child);
  process.off('exit', endWithUs);
  const isCutShort = options.isFirstEnough === true && tally.hasViolation;
  if (problem !== undefined && !isCutShort) tally.fail(problem);
  const result = tally.result();
  options.onProgress?.(`${fault.id} ${fault.title}: ${result.trials} trials, ${outcomeOf(result)}`);
  return result;
}

function outcomeOf(result: FaultResult): string {
  if (isGood(result)) return 'all well';
  const { violationCount, failure } = result;
  return `${violationCount} VIOLATIONS${failure === undefined ? '' : `, FAILED: ${failure}`}`;
}

/** How it failed; undefined when it ended by itself with code 0. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code === 0 ? undefined : `its process ended with ${code ?? signal}`);
    });
  });
}

/** A fault leads a group of processes, so nothing that it started outlives it. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const violationsKept = 100;

class Tally {
  readonly #fault: Fault;
  readonly #startedMs = performance.now();
  readonly #notes: string[] = [];
  readonly #violations: string[] = [];
  #violationCount = 0;
  #trials = 0;
  #acknowledged = 0;
  #lost = 0;
  #phantom = 0;
  #failure: string | undefined;

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  get hasViolation(): boolean {
    return this.#violationCount > 0;
  }

  add(trial: string, { acknowledged = 0, lost = 0, phantom = 0, violations = [] }: Evidence): void {
    this.#trials += 1;
    this.#acknowledged += acknowledged;
    this.#lost += lost;
    this.#phantom += phantom;
    this.#violationCount += Math.max(violations.length, lost + phantom);
    const room = violationsKept - this.#violations.length;
    this.#violations.push(...violations.slice(0, room).map((text) => `${trial}: ${text}`));
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** The first failure is the cause of those after it. */
  fail(failure: string): void {
    this.#failure ??= failure;
  }

  result(skipped?: string): FaultResult {
    const { id, title } = this.#fault;
    return {
      id,
      title,
      trials: this.#trials,
      acknowledged: this.#acknowledged,
      lost: this.#lost,
      phantom: this.#phantom,
      violations: this.#violations,
      violationCount: this.#violationCount,
      notes: this.#notes,
      seconds: (performance.now() - this.#startedMs) / 1000,
      ...(skipped !== undefined && { skipped }),
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }
}
