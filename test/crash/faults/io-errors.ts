import { join } from 'node:path';
import { type Answer, ChildService, type End } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault, FaultRun } from '../fault.ts';
import { acknowledgedIn, ScriptedClient } from '../scripted-client.ts';
import { Shim, type ShimCounts, type ShimOperation } from '../shim.ts';
import type { TrialOwner } from '../trial-owner.ts';

/** Calls that fail together, in files whose path has this part. */
interface Kind {
  readonly operations: readonly ShimOperation[];
  readonly part: string;
}

const kinds: readonly Kind[] = [
  { operations: ['write'], part: '' },
  { operations: ['fdatasync'], part: '' },
  { operations: ['fsync'], part: '' },
  { operations: ['rename'], part: '' },
  { operations: ['open'], part: '' },
  { operations: ['mkdir'], part: '' },
  { operations: ['read'], part: '' },
  // The last two are called to mend what a failed write left.
  { operations: ['write', 'ftruncate', 'unlink'], part: '' },
  { operations: ['write', 'fdatasync', 'fsync', 'mkdir'], part: '/results_by_product' },
  { operations: ['write', 'fdatasync', 'rename'], part: '/checkpoint' },
];

const loads = { quick: [1], soak: [1, 2] };

/** When all later calls fail too, one beginning is much like the next. */
const forEverSteps = { quick: 3, soak: 1 };

export const ioErrors: Fault = {
  id: 'F6',
  title: 'an I/O error at the N-th call, once and for ever',
  needs: ['compiler'],
  async run(run) {
    const { checker } = run;
    const shim = Shim.compile(run.directory);
    for (const load of loads[run.size]) {
      for (const [index, kind] of kinds.entries()) {
        for (const times of [1, 'for ever'] as const) {
          const directory = join(run.directory, `store-${index}-${times}-${load}`);
          const store = new FailingStore(checker, shim, directory, kind, times, load);
          await store.tryEveryCall(run);
        }
      }
    }
  },
};

/** One directory, on which call after call fails: each start has to mend what the trial before it left. */
class FailingStore {
  readonly #checker: Checker;
  readonly #shim: Shim;
  readonly #directory: string;
  readonly #kind: Kind;
  readonly #times: 1 | 'for ever';
  readonly #productsPerRound: number;
  readonly #client = new ScriptedClient();

  constructor(
    checker: Checker,
    shim: Shim,
    directory: string,
    kind: Kind,
    times: 1 | 'for ever',
    productsPerRound: number,
  ) {
    this.#checker = checker;
    this.#shim = shim;
    this.#directory = directory;
    this.#kind = kind;
    this.#times = times;
    this.#productsPerRound = productsPerRound;
  }

  async tryEveryCall(run: FaultRun): Promise<void> {
    const { operations, part } = this.#kind;
    const times = this.#times === 1 ? 'once' : this.#times;
    const name = `${operations.join(' or ')}${part && ` in ${part}`}, ${times}`;
    let isPastTheEnd = false;
    const step = this.#times === 1 ? 1 : forEverSteps[run.size];
    for (let nth = 1; !isPastTheEnd; nth += step) {
      await run.trial(`${name}, call ${nth}`, async (owner) => {
        // Also a trial that breaks off ends the loop.
        isPastTheEnd = true;
        const { evidence, hit } = await this.#trial(owner, nth);
        isPastTheEnd = hit === 0;
        return evidence;
      });
    }
  }

  async #trial(owner: TrialOwner, nth: number): Promise<{ evidence: Evidence; hit: number }> {
    const { operations, part } = this.#kind;
    const plan = owner.own(
      this.#shim.plan({ operations, path: `${this.#directory}${part}`, error: 'EIO' }),
    );
    const service = await ChildService.start(owner, this.#directory, flags, plan.surroundings);
    const mended = await this.#check('recovered');
    plan.arm(nth, this.#times);
    const answers = await this.#load(service, nth);
    service.hangUp();
    const end = await service.kill('SIGTERM');
    const after = await this.#check(end.code === 0 ? 'stopped' : 'crashed');
    const { counts } = plan;
    const violations = [
      ...mended.violations,
      ...after.violations,
      ...brokenPromises(answers, end, counts, part),
    ].map((text) => `${text} (${counts.where})`);
    const { lost, phantom } = after;
    const acknowledged = acknowledgedIn(answers);
    return { evidence: { acknowledged, lost, phantom, violations }, hit: counts.hit };
  }

  /** Rounds of writes, each to an old product and to new ones, and a read of the old one. */
  async #load(service: ChildService, nth: number): Promise<readonly (Answer | undefined)[]> {
    const answers: (Answer | undefined)[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const products = Array.from(
        { length: this.#productsPerRound },
        (_, index) => `new-${nth}-${round}-${index}`,
      );
      answers.push(...(await this.#client.writeAll(service, ['old', ...products])));
      await this.#client.read(service, 'old');
    }
    return answers;
  }

  #check(state: 'recovered' | 'crashed' | 'stopped') {
    const { operations } = this.#client;
    return this.#checker.check({ store: { directory: this.#directory }, state, operations });
  }
}

const rounds = 2;

/** Everything is due at once, so that few writes meet every kind of call. */
const flags = [
  ...['--segment-age-max-ms', '1'],
  ...['--flush-interval-ms', '1'],
  ...['--checkpoint-interval-ms', '1'],
  ...['--last-prices-max', '1'],
];

/** Where an error means that nobody knows what the journal holds. */
const journalChange = /^(write|fdatasync|fsync|rename|mkdir) .*\/(results|manifest)\b/;
const derivedChange = /^(write|fdatasync|fsync|rename|mkdir) .*\/(results_by_product|checkpoint)/;

function brokenPromises(
  answers: readonly (Answer | undefined)[],
  { code, signal }: End,
  { hit, where }: ShimCounts,
  part: string,
): readonly string[] {
  const statuses = answers.map((answer) => answer?.status);
  const failedAt = answers.findIndex((answer) => answer?.body.includes('storage-failed'));
  const isDerivedOnly = derivedChange.test(where) && (part !== '' || hit === 1);
  const isAllWell = statuses.every((status) => status === 202) && code === 0;
  const expectations: readonly (readonly [boolean, string])[] = [
    [hit > 0 || isAllWell, 'no call failed, yet not all was well'],
    [signal === null && [0, 1, 74].includes(code ?? -1), 'it ended in no way that is documented'],
    [statuses.every((one) => one === undefined || [202, 503].includes(one)), 'an odd answer'],
    [failedAt < 0 || !statuses.slice(failedAt).includes(202), 'a 202 after the journal failed'],
    [failedAt < 0 || code === 74, 'it did not end with 74 after the journal failed'],
    [!journalChange.test(where) || code !== 0, 'it ended with 0 though the journal failed'],
    [!isDerivedOnly || statuses.every((one) => one === 202), 'a derived file cost a write'],
  ];
  const story = `answers ${statuses.join()}, end ${code ?? signal}`;
  return expectations.flatMap(([isKept, text]) => (isKept ? [] : [`${text}: ${story}`]));
}
