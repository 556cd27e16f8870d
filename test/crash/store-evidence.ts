import type { Checker, StoreState } from './checker.ts';
import type { Evidence } from './fault.ts';

/** What the checker finds in a directory, as the evidence of a trial in which a client saw `acknowledged`. */
export async function storeEvidence(
  checker: Checker,
  directory: string,
  state: StoreState,
  logs: readonly string[],
  acknowledged: number,
): Promise<Evidence> {
  const { lost, phantom, violations } = await checker.check({ store: { directory }, state, logs });
  return { acknowledged, lost, phantom, violations };
}
