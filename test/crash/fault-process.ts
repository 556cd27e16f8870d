import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { SeededRandom } from '../support/seeded-random.ts';
import type { FaultReport } from './campaign.ts';
import { Checker } from './checker.ts';
import type { Evidence, Fault, FaultRun, Size } from './fault.ts';
import { faults } from './faults.ts';
import { TrialOwner } from './trial-owner.ts';

/* One fault, in a process of its own: `fault-process ID SIZE SEED PACE`; reports over the channel to its parent. */

const [, , id, size, seed = '', pace = '1'] = process.argv;
const fault = faults.find((one) => one.id === id);
if (fault === undefined || (size !== 'quick' && size !== 'soak')) throw new Error('bad arguments');
process.once('disconnect', endGroup);
await run(fault, size);
process.off('disconnect', endGroup);
process.disconnect();

/** Nobody waits for the results any more: nothing that was started for them may go on. */
function endGroup(): void {
  process.kill(-process.pid, 'SIGKILL');
}

async function run(chosen: Fault, chosenSize: Size): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), `repricer-${chosen.id}-`));
  const owner = new TrialOwner();
  const random = new SeededRandom(`${seed}/${chosen.id}`);
  try {
    await chosen.run(runIn(directory, chosenSize, random, owner));
    await owner.end();
  } catch (error) {
    // Whatever it had begun may still be writing, so its directory stays.
    report({ failure: `between trials: ${textOf(error)}` });
    process.exit(1);
  }
  await rm(directory, { recursive: true });
}

function runIn(
  directory: string,
  chosenSize: Size,
  random: SeededRandom,
  owner: TrialOwner,
): FaultRun {
  return {
    size: chosenSize,
    pace: Number(pace),
    random,
    directory,
    owner,
    checker: owner.own(new Checker()),
    async trial(name, act) {
      report({ trial: name, evidence: await evidenceOf(act) });
    },
    note: (text) => report({ note: text }),
  };
}

async function evidenceOf(act: (owner: TrialOwner) => Promise<Evidence>): Promise<Evidence> {
  const owner = new TrialOwner();
  try {
    return await act(owner);
  } catch (error) {
    return { violations: [textOf(error)] };
  } finally {
    await owner.end();
  }
}

function textOf(error: unknown): string {
  return inspect(error);
}

function report(message: FaultReport): void {
  process.send?.(message);
}
