import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { acknowledgedIn, ScriptedClient, type WriteAnswer } from '../scripted-client.ts';
import { Shim, type ShimFault, type ShimOperation } from '../shim.ts';
import { until } from '../until.ts';

type Interruption = Omit<ShimFault, 'path'> & {
  readonly title: string;
  /** Every call or, trial after trial, each one alone. */
  readonly isEveryCall: boolean;
  /** What a write may be answered. */
  readonly statuses: readonly number[];
};

const changes: readonly ShimOperation[] = [
  'write',
  'fdatasync',
  'fsync',
  'rename',
  'open',
  'mkdir',
];

const interruptions: readonly Interruption[] = [
  ...[1, 17, 4095].flatMap((shortBytes) =>
    [true, false].map((isEveryCall) => ({
      title: `writes of ${shortBytes} bytes`,
      operations: ['write' as const],
      shortBytes,
      isEveryCall,
      statuses: [202],
    })),
  ),
  {
    title: 'reads of 17 bytes',
    operations: ['read'],
    shortBytes: 17,
    isEveryCall: true,
    statuses: [202],
  },
  { title: 'EINTR', operations: changes, error: 'EINTR', isEveryCall: false, statuses: [202] },
  {
    title: 'EINTR on reads',
    operations: ['read'],
    error: 'EINTR',
    isEveryCall: false,
    statuses: [202],
  },
  // A file has no reason to give it; then nothing was taken, and the client may try again.
  {
    title: 'EAGAIN',
    operations: ['write', 'open'],
    error: 'EAGAIN',
    isEveryCall: false,
    statuses: [202, 503],
  },
];

const calls = { quick: 20, soak: 60 };

export const shortAndInterrupted: Fault = {
  id: 'F9',
  title: 'short writes, EINTR, EAGAIN',
  needs: ['compiler'],
  async run(run) {
    const shim = Shim.compile(run.directory);
    for (const [index, interruption] of interruptions.entries()) {
      await tryAll(run, shim, join(run.directory, `store-${index}`), interruption);
    }
  },
};

/** One process that outlives every interruption, and at the end its clean stop. */
async function tryAll(
  run: FaultRun,
  shim: Shim,
  directory: string,
  { title, isEveryCall, statuses, ...fault }: Interruption,
): Promise<void> {
  const { owner, checker } = run;
  const plan = owner.own(shim.plan({ ...fault, path: directory }));
  const service = await ChildService.start(owner, directory, flags, plan.surroundings);
  const client = new ScriptedClient();
  for (let nth = 1; nth <= calls[run.size]; nth += 1) {
    plan.arm(nth, isEveryCall ? 'for ever' : 1);
    const name = `${title}, ${isEveryCall ? `every call, load ${nth}` : `call ${nth}`}`;
    await run.trial(name, () => load(client, service, nth, statuses));
  }
  const { hit } = plan.counts;
  await run.trial(`${title}, the stop`, async () => {
    const { code } = await service.kill('SIGTERM');
    const { operations } = client;
    const result = await checker.check({ store: { directory }, state: 'stopped', operations });
    const { lost, phantom } = result;
    const stops = code === 0 ? [] : [`the stop ended with code ${code}`];
    const hits = hit > 0 ? [] : ['no call met it'];
    return { lost, phantom, violations: [...result.violations, ...stops, ...hits] };
  });
}

/** Everything is due at once, so that few writes meet every kind of call. */
const flags = [
  ...['--segment-age-max-ms', '1'],
  ...['--flush-interval-ms', '1'],
  ...['--checkpoint-interval-ms', '1'],
  ...['--last-prices-max', '1'],
];

async function load(
  client: ScriptedClient,
  service: ChildService,
  nth: number,
  statuses: readonly number[],
): Promise<Evidence> {
  const answers: WriteAnswer[] = [];
  for (let round = 1; round <= 2; round += 1) {
    answers.push(...(await client.writeAll(service, ['old', `new-${nth}-${round}`])));
  }
  await caughtUp(service);
  const read = await client.read(service, 'old');
  const odd = [...answers, read].filter((answer) => {
    const isPromised = answer !== undefined && [200, ...statuses].includes(answer.status);
    return !isPromised;
  });
  const violations = odd.map((answer) => `answered with ${answer?.status}: ${answer?.body}`);
  return { acknowledged: acknowledgedIn(answers), violations };
}

/** Product files have everything, so that a price that is not in memory is read from its file. */
function caughtUp({ backplanePort }: ChildService): Promise<void> {
  return until('product files have caught up', async () => {
    const response = await fetch(`http://127.0.0.1:${backplanePort}/metrics`);
    return /^repricer_aggregation_lag_records 0$/m.test(await response.text());
  });
}
