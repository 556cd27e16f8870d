import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import { Client } from '../client.ts';
import type { Evidence, Fault } from '../fault.ts';
import { storeEvidence } from '../store-evidence.ts';
import type { TrialOwner } from '../trial-owner.ts';

const trials = { quick: 3, soak: 10 };

/** The control: what fails here fails without any fault. */
export const noFault: Fault = {
  id: 'F0',
  title: 'nothing at all: load and a clean stop',
  needs: [],
  async run(run) {
    const { owner, checker } = run;
    const client = new Client(owner, join(run.directory, 'client.log'), 1);
    for (let trial = 0; trial < trials[run.size]; trial += 1) {
      await run.trial(`stop ${trial}`, () => loadAndStop(owner, checker, client, run.directory));
    }
  },
};

async function loadAndStop(
  owner: TrialOwner,
  checker: Checker,
  client: Client,
  parent: string,
): Promise<Evidence> {
  const directory = join(parent, 'store');
  const service = await ChildService.start(owner, directory, ['--segment-bytes-max', '20000']);
  const { port } = service;
  const load = client.load({ port, connections: 10, products: 20, onBroken: 'end' });
  await delay(500);
  client.stop();
  const { acknowledged } = await load;
  const { code } = await service.kill('SIGTERM');
  const evidence = await storeEvidence(checker, directory, 'stopped', [client.log], acknowledged);
  const ends = code === 0 ? [] : [`a clean stop ended with code ${code}`];
  return { ...evidence, violations: [...(evidence.violations ?? []), ...ends] };
}
