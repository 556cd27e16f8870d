import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { both, storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';
import { Volume } from '../volume.ts';

const trials = { quick: 3, soak: 15 };

/** The file system's own tables, and a little more. */
const deviceBytes = 7 << 20;
const grownBytes = 64 << 20;

export const lostPages: Fault = {
  id: 'F7',
  title: 'a sync fails, and the page cache shows what the disk never got',
  needs: ['mounts'],
  async run(run) {
    for (let number = 0; number < trials[run.size]; number += 1) {
      await run.trial(`trial ${number}`, (owner) => trial(run, owner, number));
    }
  },
};

/**
 * Fills a device that is smaller than it says until a sync fails. A restart reads pages that will
 * vanish, and may serve only what it has made durable by itself. When there is no room for that, as in
 * two trials of three, it has to refuse to start. At last the pages do vanish.
 */
async function trial(run: FaultRun, owner: TrialOwner, number: number): Promise<Evidence> {
  const volume = Volume.thin(owner, join(run.directory, `thin-${number}`), deviceBytes);
  const directory = join(volume.directory, 'data');
  const client = new Client(owner, join(run.directory, `${number}.log`), 1);
  const service = await ChildService.start(owner, directory, flags);
  const load = client.load({ port: service.port, onBroken: 'end', ...shape });
  const end = await service.exited;
  const { acknowledged } = await load;
  const codes = [end.code];
  if (number % 3 !== 0) codes.push(await codeOfStart(owner, directory));
  volume.growDevice(grownBytes);
  let again = await serveAgain(owner, directory, client, codes);
  const hasGivenUp = again === undefined;
  if (hasGivenUp) {
    // The file system had given up, and the start was right to refuse; after a remount it must not.
    volume.remount();
    again = await serveAgain(owner, directory, client, codes);
  }
  const logs = [client.log];
  const seen = await storeEvidence(run.checker, directory, 'crashed', logs, 0);
  dropCleanPages();
  volume.remount();
  const kept = await storeEvidence(run.checker, directory, 'crashed', logs, 0);
  const evidence = both(during(seen, 'before the pages vanish'), during(kept, 'after they have'));
  const { promised, beyond } = sortOut(evidence, hasGivenUp);
  run.note(`trial ${number}: ended with ${codes.join(', then ')}; ${acknowledged} acknowledged`);
  for (const text of beyond) run.note(`trial ${number}, beyond the promise: ${text}`);
  const odd = codes.every((code) => code === 74) ? [] : [`it ended with ${codes.join()}, not 74`];
  if (again === undefined) odd.push('it could not be started after a remount');
  return {
    ...promised,
    acknowledged: acknowledged + (again ?? 0),
    violations: [...(promised.violations ?? []), ...odd],
  };
}

/**
 * What no program can hold on such a device is told, and not counted: a product file whose pages the
 * kernel dropped with their inode, and the error with it; and what a file system that aborted its own
 * journal no longer has after a remount, though it said that it was synced.
 */
function sortOut(
  { lost = 0, phantom = 0, violations = [] }: Evidence,
  hasGivenUp: boolean,
): { readonly promised: Evidence; readonly beyond: readonly string[] } {
  const isBeyond = (text: string) =>
    text.includes(': results_by_product/') || (hasGivenUp && text.includes(': lost: '));
  return {
    promised: {
      lost: hasGivenUp ? 0 : lost,
      phantom,
      violations: violations.filter((text) => !isBeyond(text)),
    },
    beyond: violations.filter(isBeyond),
  };
}

function during(evidence: Evidence, when: string): Evidence {
  const { violations = [] } = evidence;
  return { ...evidence, violations: violations.map((text) => `${when}: ${text}`) };
}

const shape = { connections: 10, products: 20, readPercent: 0 };

const flags = ['--checkpoint-interval-ms', '100'];

/** Of a start that must not succeed; null when it served, and was then killed. */
async function codeOfStart(owner: TrialOwner, directory: string): Promise<number | null> {
  const service = ChildService.launch(owner, directory, flags);
  if (await service.becomesReady()) await service.kill('SIGKILL');
  return (await service.exited).code;
}

/**
 * Reads what the restart serves and builds on it, then dies before a clean stop could make anything
 * durable. Gives how many writes were acknowledged; undefined when the start refused, with its code in `codes`.
 */
async function serveAgain(
  owner: TrialOwner,
  directory: string,
  client: Client,
  codes: (number | null)[],
): Promise<number | undefined> {
  const service = ChildService.launch(owner, directory, flags);
  if (!(await service.becomesReady())) {
    codes.push((await service.exited).code);
    return undefined;
  }
  const { acknowledged } = await client.load({
    port: service.port,
    onBroken: 'end',
    ...shape,
    readPercent: 70,
    writesMax: 60,
  });
  await service.kill('SIGKILL');
  return acknowledged;
}

function dropCleanPages(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}
