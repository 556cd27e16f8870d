import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { acknowledgedIn, ScriptedClient, type WriteAnswer } from '../scripted-client.ts';
import type { TrialOwner } from '../trial-owner.ts';
import { Volume } from '../volume.ts';

const trials = { quick: 3, soak: 20 };
const writesBefore = 10;

export const readOnly: Fault = {
  id: 'F10',
  title: 'the file system turns read-only',
  needs: ['mounts'],
  async run(run) {
    for (let number = 0; number < trials[run.size]; number += 1) {
      await run.trial(`trial ${number}`, (owner) => {
        const memory = Volume.tmpfs(owner, join(run.directory, `memory-${number}`), 64 << 20);
        const volume = Volume.ext4(owner, join(memory.directory, 'volume'));
        return trial(owner, run.checker, volume, number);
      });
    }
  },
};

/** Reads are answered after the file system's failure, writes end the process, and a remount heals all. */
async function trial(
  owner: TrialOwner,
  checker: Checker,
  volume: Volume,
  number: number,
): Promise<Evidence> {
  const directory = join(volume.directory, 'data');
  const client = new ScriptedClient();
  const service = await ChildService.start(owner, directory, ['--flush-interval-ms', '1']);
  const before: WriteAnswer[] = [];
  for (let write = 0; write < writesBefore + number; write += 1) {
    before.push(await client.write(service, `p${write % 3}`));
  }
  volume.failFileSystem();
  const read = await client.read(service, 'p0');
  const after = await client.writeAll(service, ['p0', 'p1', 'new']);
  const { code } = await service.exited;
  volume.remount();
  const healed = await ChildService.start(owner, directory);
  const again = await client.write(healed, 'p0');
  const stop = await healed.kill('SIGTERM');
  const { operations } = client;
  const result = await checker.check({ store: { directory }, state: 'stopped', operations });
  const expectations: readonly (readonly [boolean, string])[] = [
    [read?.status === 200, `a read was answered with ${read?.status}`],
    [acknowledgedIn(after) === 0, 'a write was acknowledged after the failure'],
    [code === 74, `it ended with ${code}`],
    [again?.status === 202, `after the remount a write was answered with ${again?.status}`],
    [stop.code === 0, `the stop ended with ${stop.code}`],
  ];
  const broken = expectations.flatMap(([isKept, text]) => (isKept ? [] : [text]));
  const { lost, phantom, violations } = result;
  const acknowledged = acknowledgedIn([...before, ...after, again]);
  return { acknowledged, lost, phantom, violations: [...violations, ...broken] };
}
