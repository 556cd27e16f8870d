import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { acknowledgedIn, ScriptedClient, type WriteAnswer } from '../scripted-client.ts';
import { Shim, type ShimOperation } from '../shim.ts';
import type { TrialOwner } from '../trial-owner.ts';
import { Volume } from '../volume.ts';

const rounds = { quick: 3, soak: 10 };

const mebibyte = 1 << 20;

/** What takes the room of a directory, and what gives it back. */
interface Shortage {
  readonly directory: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Set when it shows in the room that the volume says it has; otherwise the next look at it finds some. */
  readonly isMeasured?: boolean;
  /** Whether some call met it; absent when the answers alone show it. */
  isMet?(): boolean;
  begin(): void;
  end(): void;
}

/** Room for nothing, for a page, and for some records. */
const bytesLeft = [0, 4096, 20_000];

type Prepare = (owner: TrialOwner, directory: string, round: number, shim: Shim) => Shortage;

const shortages: Readonly<Record<string, Prepare>> = {
  'a small file system is full': (owner, directory, round) =>
    fullVolume(Volume.tmpfs(owner, directory, 2 * mebibyte), bytesLeft[round % 3] ?? 0),
  'an ext4 is full': (owner, directory, round) => {
    const memory = Volume.tmpfs(owner, directory, 64 * mebibyte);
    const volume = Volume.ext4(owner, join(memory.directory, 'volume'));
    return fullVolume(volume, bytesLeft[round % 3] ?? 0);
  },
  'there are no more files': (owner, directory, round) => {
    const volume = Volume.tmpfs(owner, directory, 8 * mebibyte, 200);
    return {
      directory: join(volume.directory, 'data'),
      begin: () => volume.fillFiles(round % 4),
      end: () => volume.makeRoom(),
    };
  },
  'less room than the watermark': (owner, directory) => {
    const volume = Volume.tmpfs(owner, directory, 8 * mebibyte);
    return {
      ...fullVolume(volume, 2 * mebibyte),
      flags: ['--free-bytes-min', String(4 * mebibyte)],
      isMeasured: true,
    };
  },
  'no space for whatever is created, written or renamed': (_owner, directory, round, shim) =>
    refusedCalls(shim, directory, ['write', 'create', 'mkdir', 'rename'], 1 + round),
  'no space in the middle of sealing': (_owner, directory, round, shim) =>
    refusedCalls(shim, `${directory}/results/`, ['rename', 'fsync'], 1 + round),
  'no space for checkpoints and product files': (_owner, directory, round, shim) =>
    refusedCalls(shim, `${directory}/results_by_product`, ['write', 'mkdir'], 1 + round),
};

export const diskFull: Fault = {
  id: 'F8',
  title: 'no space, until there is some again',
  needs: ['mounts', 'compiler'],
  async run(run) {
    const shim = Shim.compile(run.directory);
    for (let round = 0; round < rounds[run.size]; round += 1) {
      // Most of a trial is waiting for the next look at the volume.
      await Promise.all(
        Object.entries(shortages).map(([title, prepare], index) => {
          const directory = join(run.directory, `${round}-${index}`);
          return tryShortage(run, `${title}, round ${round}`, (owner) =>
            prepare(owner, directory, round, shim),
          );
        }),
      );
    }
  },
};

async function tryShortage(
  run: FaultRun,
  name: string,
  prepare: (owner: TrialOwner) => Shortage,
): Promise<void> {
  await run.trial(name, (owner) => trial(owner, run.checker, prepare(owner)));
}

function fullVolume(volume: Volume, left: number): Shortage {
  return {
    directory: join(volume.directory, 'data'),
    begin: () => volume.fill(left),
    end: () => volume.makeRoom(),
  };
}

function refusedCalls(
  shim: Shim,
  path: string,
  operations: readonly ShimOperation[],
  nth: number,
): Shortage {
  const plan = shim.plan({ operations, path, error: 'ENOSPC' });
  const { env = {} } = plan.surroundings;
  return {
    directory: path.replace(/\/results.*$/, ''),
    env,
    begin: () => plan.arm(nth),
    end: () => plan.disarm(),
    isMet: () => plan.counts.hit > 0,
  };
}

/** More than a full backlog, and on until one is refused. */
const attempts = 60;
const shortageMsMax = 15_000;
const healMsMax = 15_000;

/** Writes until some are refused, sees that reads go on and readiness tells why, and that it heals by itself. */
async function trial(owner: TrialOwner, checker: Checker, shortage: Shortage): Promise<Evidence> {
  const { directory, flags = [], env = {} } = shortage;
  const client = new ScriptedClient();
  const allFlags = [...flagsForAll, ...flags];
  const service = await ChildService.start(owner, directory, allFlags, { env });
  const answers: WriteAnswer[] = [await client.write(service, 'known')];
  shortage.begin();
  const isLate = after(shortageMsMax);
  const isRefused = (answer: WriteAnswer) => answer?.status !== 202;
  for (
    let attempt = 0;
    attempt < attempts || !(answers.some(isRefused) || isLate());
    attempt += 1
  ) {
    answers.push(...(await client.writeAll(service, ['known', `new-${attempt}`])));
  }
  const read = await client.read(service, 'known');
  const refused = answers.filter(isRefused);
  const unready = await readinessOf(service);
  shortage.end();
  const isHealed = await heals(client, service);
  const stop = await service.kill('SIGTERM');
  const { operations } = client;
  const result = await checker.check({ store: { directory }, state: 'stopped', operations });
  const odd = refused.filter((answer) => !isPromisedRefusal(answer));
  const isMeasured = shortage.isMeasured === true;
  const expectations: readonly (readonly [boolean, string])[] = [
    [shortage.isMet?.() !== false, 'no call met the lack of space'],
    [refused.length > 0, `none of ${answers.length} writes was refused`],
    [!isMeasured || refused.every((answer) => answer?.status === 507), 'not refused with 507'],
    [odd.length === 0, `a write was answered with ${odd[0]?.status} ${odd[0]?.body}`],
    [read?.status === 200, `a read was answered with ${read?.status}`],
    [!isMeasured || unready.includes('no space'), `readiness says ${unready}`],
    [isHealed, 'it did not heal without a restart'],
    [stop.code === 0, `the stop ended with ${stop.code}`],
  ];
  const broken = expectations.flatMap(([isKept, text]) => (isKept ? [] : [text]));
  const { lost, phantom, violations } = result;
  const acknowledged = acknowledgedIn(answers);
  return { acknowledged, lost, phantom, violations: [...violations, ...broken] };
}

/** Few records make a full backlog, so that product files that cannot be written refuse writes too. */
const flagsForAll = [
  ...['--segment-age-max-ms', '5'],
  ...['--flush-interval-ms', '1'],
  ...['--checkpoint-interval-ms', '1'],
  ...['--backlog-records-max', '60', '--queue-max', '50'],
  ...['--backlog-wait-ms', '10'],
];

function isPromisedRefusal(answer: WriteAnswer): boolean {
  const isRefused = answer?.status === 507 || answer?.status === 503;
  return isRefused && answer.headers['retry-after'] !== undefined;
}

async function readinessOf(service: ChildService): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${service.backplanePort}/healthz/ready`);
  return response.text();
}

/** Whether a write is taken again in time. */
async function heals(client: ScriptedClient, service: ChildService): Promise<boolean> {
  for (const isLate = after(healMsMax); !isLate(); await delay(100)) {
    const answer = await client.write(service, 'known');
    if (answer?.status === 202) return true;
  }
  return false;
}

/** Whether so many milliseconds have passed since this call. */
function after(ms: number): () => boolean {
  const startedMs = performance.now();
  return () => performance.now() - startedMs > ms;
}
