import { join } from 'node:path';
import { ChildService } from '../../support/child-service.ts';
import type { Checker } from '../checker.ts';
import type { Evidence, Fault } from '../fault.ts';
import { acknowledgedIn, ScriptedClient, type WriteAnswer } from '../scripted-client.ts';
import type { TrialOwner } from '../trial-owner.ts';

const trials = { quick: 10, soak: 30 };
const rounds = 3;

export const ioErrorsByStrace: Fault = {
  id: 'F6b',
  title: 'an I/O error at the N-th sync, by strace',
  needs: ['strace'],
  async run(run) {
    for (const call of ['fdatasync', 'fsync']) {
      for (let nth = 1; nth <= trials[run.size]; nth += 1) {
        await run.trial(`${call} ${nth}`, (owner) =>
          trial(owner, run.checker, join(run.directory, `${call}-${nth}`), call, nth),
        );
      }
    }
  },
};

/** A tool that is not ours makes a sync fail; whatever comes of it, a start without it heals. */
async function trial(
  owner: TrialOwner,
  checker: Checker,
  directory: string,
  call: string,
  nth: number,
): Promise<Evidence> {
  const inject = `inject=${call}:error=EIO:when=${nth}`;
  const service = ChildService.launch(owner, directory, flags, {
    // The process stays the child, and the tracer is a child of it.
    wrapper: ['strace', '-D', '-f', '-qqq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject],
    // Calls are counted for each thread.
    env: { UV_THREADPOOL_SIZE: '1' },
  });
  const client = new ScriptedClient();
  const isServing = await service.ready().then(
    () => true,
    () => false,
  );
  const answers: WriteAnswer[] = [];
  for (let round = 0; isServing && round < rounds; round += 1) {
    answers.push(...(await client.writeAll(service, ['old', `new-${round}`])));
  }
  service.hangUp();
  const { code } = await service.kill('SIGTERM');
  const healed = await ChildService.start(owner, directory);
  await client.write(healed, 'old');
  healed.hangUp();
  const stop = await healed.kill('SIGTERM');
  const { operations } = client;
  const result = await checker.check({ store: { directory }, state: 'stopped', operations });
  const failedAt = answers.findIndex((answer) => answer?.body.includes('storage-failed'));
  const acknowledgedAfter = failedAt < 0 ? 0 : acknowledgedIn(answers.slice(failedAt));
  const expectations: readonly (readonly [boolean, string])[] = [
    [isServing || code === 74, `a start that failed ended with ${code}`],
    [failedAt < 0 || code === 74, `after the journal failed it ended with ${code}`],
    [acknowledgedAfter === 0, 'a 202 after the journal failed'],
    [stop.code === 0, `the stop of the healed service ended with ${stop.code}`],
  ];
  const broken = expectations.flatMap(([isKept, text]) => (isKept ? [] : [text]));
  const { lost, phantom, violations } = result;
  return {
    acknowledged: acknowledgedIn(answers),
    lost,
    phantom,
    violations: [...violations, ...broken],
  };
}

const flags = [
  ...['--segment-age-max-ms', '1'],
  ...['--flush-interval-ms', '1'],
  ...['--checkpoint-interval-ms', '1'],
];
