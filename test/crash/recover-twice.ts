import { ChildService } from '../support/child-service.ts';
import { differingPaths, readStore } from './checker/stored-files.ts';
import type { Checker, CheckResult } from './checker.ts';
import type { Evidence } from './fault.ts';
import type { TrialOwner } from './trial-owner.ts';

/**
 * Starts on what a crash left and kills the process as soon as it serves, twice: the first recovery
 * must make the store whole, and the second must not change a byte (I8).
 */
export async function recoverTwice(
  owner: TrialOwner,
  checker: Checker,
  directory: string,
  logs: readonly string[],
): Promise<Evidence> {
  await recoverAndKill(owner, directory);
  const result: CheckResult = await checker.check({
    store: { directory },
    state: 'recovered',
    logs,
  });
  const first = await readStore({ directory });
  await recoverAndKill(owner, directory);
  const changed = differingPaths(first, await readStore({ directory }));
  const { lost, phantom, violations } = result;
  return {
    lost,
    phantom,
    violations: [
      ...violations,
      ...changed.map((path) => `${path}: the second recovery changed it`),
    ],
  };
}

async function recoverAndKill(owner: TrialOwner, directory: string): Promise<void> {
  const service = await ChildService.start(owner, directory);
  await service.kill('SIGKILL');
}
