import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { residentBytes } from '../process-state.ts';
import { acknowledgedIn, ScriptedClient, type WriteAnswer } from '../scripted-client.ts';
import { Shim } from '../shim.ts';
import type { TrialOwner } from '../trial-owner.ts';
import { Volume } from '../volume.ts';

/** How long the disk takes, and how often; a soak makes so many rounds of them. What hangs does so for longer where the machine is slow. */
const delays = [
  { delayMs: 50, syncs: 'for ever' },
  { delayMs: 1100, syncs: 'for ever' },
  { delayMs: 10_000, syncs: 1 },
] as const;
const rounds = { quick: 1, soak: 3 };

const queueMax = 10;
const writesAtOnce = 40;
/** What needs no disk must not wait for it. */
const promptMsMax = 700;
const lookEveryMs = 50;
const growthBytesMax = 64 << 20;

export const slowDisk: Fault = {
  id: 'F11',
  title: 'the disk is slow, and hangs',
  needs: ['mounts', 'compiler'],
  isTimed: true,
  async run(run) {
    const { checker } = run;
    const promptMs = promptMsMax * run.pace;
    const hangMs = (ms: number) => Math.max(ms, 1.5 * promptMs);
    const shim = Shim.compile(run.directory);
    for (let round = 0; round < rounds[run.size]; round += 1) {
      const directory = join(run.directory, `round-${round}`);
      await Promise.all([
        ...delays.map(({ delayMs, syncs }) =>
          run.trial(`${syncs} a sync takes ${delayMs} ms`, (owner) => {
            const slowness = { delayMs: delayMs < 1000 ? delayMs : hangMs(delayMs), syncs };
            return trySlowSync(owner, checker, shim, `${directory}-${delayMs}`, slowness, promptMs);
          }),
        ),
        run.trial('the file system is frozen for 3 s', (owner) =>
          tryFrozen(owner, checker, `${directory}-frozen`, hangMs(3000), promptMs),
        ),
      ]);
    }
  },
};

/** Syncs that take so long, so often. */
interface Slowness {
  readonly delayMs: number;
  readonly syncs: (typeof delays)[number]['syncs'];
}

/** A disk that hangs for so long from when `hang` is called; what needs none may take `promptMs`. */
interface Hang {
  readonly hangMs: number;
  readonly promptMs: number;
  readonly hang: () => Promise<void>;
}

async function trySlowSync(
  owner: TrialOwner,
  checker: Checker,
  shim: Shim,
  directory: string,
  { delayMs, syncs }: Slowness,
  promptMs: number,
): Promise<Evidence> {
  const operations = ['fdatasync'] as const;
  const plan = owner.own(shim.plan({ operations, path: `${directory}/results/`, delayMs }));
  const service = await ChildService.start(owner, directory, flags, plan.surroundings);
  const hang = async () => plan.arm(1, syncs);
  return tryHang(checker, service, directory, { hangMs: delayMs, promptMs, hang });
}

async function tryFrozen(
  owner: TrialOwner,
  checker: Checker,
  directory: string,
  hangMs: number,
  promptMs: number,
): Promise<Evidence> {
  const memory = Volume.tmpfs(owner, directory, 64 << 20);
  const volume = Volume.ext4(owner, join(memory.directory, 'volume'));
  const data = join(volume.directory, 'data');
  const service = await ChildService.start(owner, data, flags);
  const hang = () => volume.freezeFor(hangMs);
  return tryHang(checker, service, data, { hangMs, promptMs, hang });
}

const flags = ['--queue-max', String(queueMax), '--flush-interval-ms', '1'];

/** More writes than the queue holds, while the disk hangs; reads and health beside them, all the time. */
async function tryHang(
  checker: Checker,
  service: ChildService,
  directory: string,
  { hangMs, promptMs, hang }: Hang,
): Promise<Evidence> {
  const client = new ScriptedClient();
  const first = await client.write(service, 'known');
  const bytesBefore = residentBytes(service.pid, 'now');
  await hang();
  const writes = Array.from({ length: writesAtOnce }, (_, index) =>
    timed(client.write(service, `p${index}`)),
  );
  const looks = await lookUntil(Promise.all(writes), client, service);
  const answers = await Promise.all([...writes, ...looks.writes]);
  const metrics = await text(service, '/metrics');
  const stop = await service.kill('SIGTERM');
  const { operations } = client;
  const result = await checker.check({ store: { directory }, state: 'stopped', operations });

  const grownBytes = looks.bytesMost - bytesBefore;
  const statuses = answers.map(({ value }) => value?.status);
  const refused = answers.filter(({ value }) => value?.status === 503);
  const slowest = Math.max(...looks.reads.map(({ ms }) => ms));
  const isWarned = ['sync hangs', 'sync was slow'].every((message) =>
    service.logLines.some((line) => line['message'] === message),
  );
  const expectations: readonly (readonly [boolean, string])[] = [
    [
      looks.reads.every(({ value }) => value?.status === 200),
      'a read or a look at its health failed',
    ],
    [slowest < promptMs, `a look took ${slowest} ms`],
    [looks.reads.length >= hangMs / promptMs, 'nobody looked at it while the disk hung'],
    [statuses.every((one) => one === 202 || one === 503), `answers ${statuses.join()}`],
    [refused.every(({ ms }) => ms < promptMs), 'a refusal waited for the disk'],
    [hangMs < 1000 || refused.length >= writesAtOnce - 2 * queueMax, 'the queue has no bound'],
    [hangMs <= 1000 || isWarned, 'no warning of a sync that hangs, or none that it was slow'],
    [secondsOfSyncs(metrics) >= (0.8 * hangMs) / 1000, 'the metric of syncs does not show it'],
    [grownBytes < growthBytesMax, `its memory grew by ${grownBytes} bytes`],
    [stop.code === 0, `the stop ended with ${stop.code}`],
  ];
  const broken = expectations.flatMap(([isKept, sentence]) => (isKept ? [] : [sentence]));
  const { lost, phantom, violations } = result;
  const acknowledged = acknowledgedIn([first, ...answers.map(({ value }) => value)]);
  return { acknowledged, lost, phantom, violations: [...violations, ...broken] };
}

type Timed = Promise<{ value: WriteAnswer; ms: number }>;

interface Looks {
  readonly reads: readonly Awaited<Timed>[];
  readonly writes: readonly Timed[];
  readonly bytesMost: number;
}

/** A read, both looks at its health and one write more, again and again until something is done. */
async function lookUntil(
  done: Promise<unknown>,
  client: ScriptedClient,
  service: ChildService,
): Promise<Looks> {
  const reads: Awaited<Timed>[] = [];
  const writes: Timed[] = [];
  let bytesMost = 0;
  let isDone = false;
  const ending = done.then(() => {
    isDone = true;
  });
  do {
    const look = [
      timed(client.read(service, 'known')),
      timed(statusOf(service, '/healthz/alive')),
      timed(statusOf(service, '/metrics')),
    ];
    writes.push(timed(client.write(service, 'late')));
    reads.push(...(await Promise.all(look)));
    bytesMost = Math.max(bytesMost, residentBytes(service.pid, 'now'));
    await Promise.race([ending, delay(lookEveryMs)]);
  } while (!isDone);
  return { reads, writes, bytesMost };
}

async function timed<Value>(work: Promise<Value>): Promise<{ value: Value; ms: number }> {
  const start = performance.now();
  const value = await work;
  return { value, ms: performance.now() - start };
}

async function statusOf(service: ChildService, path: string): Promise<WriteAnswer> {
  const response = await fetch(`http://127.0.0.1:${service.backplanePort}${path}`);
  // Whose body is not read, that connection is not used again, and the backplane bounds their number.
  await response.arrayBuffer();
  return { status: response.status, headers: {}, body: '' };
}

async function text(service: ChildService, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${service.backplanePort}${path}`);
  return response.text();
}

/** Seconds of all syncs so far. */
function secondsOfSyncs(metrics: string): number {
  return Number(/^repricer_sync_seconds_sum (\S+)$/m.exec(metrics)?.[1]);
}
