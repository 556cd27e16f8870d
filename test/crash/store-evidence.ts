import type { Checker, StoreState } from './checker.ts';
import type { Evidence } from './fault.ts';

/** What the checker finds in a directory, as the evidence of a trial in which a client saw `acknowledged`. */
export async function storeEvidence(
  checker: Checker,
  directory: string,
  state: StoreState,
  logs: readonly string[],
  acknowledged: number,
  filledUpTo = 0,
): Promise<Evidence> {
  const { lost, phantom, violations } = await checker.check({
    store: { directory },
    state,
    logs,
    filledUpTo,
  });
  return { acknowledged, lost, phantom, violations };
}

/** Two looks at one trial. */
export function both(first: Evidence, second: Evidence): Evidence {
  return {
    acknowledged: (first.acknowledged ?? 0) + (second.acknowledged ?? 0),
    lost: Math.max(first.lost ?? 0, second.lost ?? 0),
    phantom: Math.max(first.phantom ?? 0, second.phantom ?? 0),
    violations: [...(first.violations ?? []), ...(second.violations ?? [])],
  };
}
