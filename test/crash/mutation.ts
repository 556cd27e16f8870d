import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import type { Fault } from './fault.ts';
import type { Mutant } from './mutants.ts';

/** Which faults found a planted bug, which did not, and which could not run here. */
export interface MutantResult {
  readonly title: string;
  readonly foundBy: readonly string[];
  readonly missedBy: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Plants each bug in a copy of the build and runs the faults that must find it, up to the first
 * violation: in a quick run the first of them, in a soak all, with as many trials as they have there.
 */
export async function runMutation(
  mutants: readonly Mutant[],
  faults: readonly Fault[],
  options: CampaignOptions,
): Promise<readonly MutantResult[]> {
  const results: MutantResult[] = [];
  for (const mutant of mutants) {
    const ids = options.size === 'quick' ? mutant.foundBy.slice(0, 1) : mutant.foundBy;
    const chosen = faults.filter(({ id }) => ids.includes(id));
    results.push(await runMutant(mutant, chosen, options));
    options.onProgress?.(formatMutant(results.at(-1)));
  }
  return results;
}

/** Whether a fault found it and none that ran missed it. */
function isFound({ foundBy, missedBy }: MutantResult): boolean {
  return foundBy.length > 0 && missedBy.length === 0;
}

/** Whether no fault that ran missed it; where all were skipped nobody knows. */
export function isNotMissed({ missedBy }: MutantResult): boolean {
  return missedBy.length === 0;
}

/** The table: which test found which planted bug. */
export function formatMutation(results: readonly MutantResult[]): string {
  const found = results.filter(isFound).length;
  const unknown = results.filter((one) => isNotMissed(one) && !isFound(one)).length;
  const skipped = unknown === 0 ? '' : `, ${unknown} SKIPPED`;
  return [
    ...results.map(formatMutant),
    `${found} of ${results.length} planted bugs found${skipped}`,
  ].join('\n');
}

function formatMutant(result: MutantResult | undefined): string {
  if (result === undefined) return '';
  const { title, foundBy, missedBy, skipped } = result;
  return [
    title.padEnd(64),
    foundBy.length > 0 ? `found by ${foundBy.join(', ')}` : '',
    missedBy.length > 0 ? `MISSED by ${missedBy.join(', ')}` : '',
    skipped.length > 0 ? `SKIPPED: ${skipped.join(', ')}` : '',
  ]
    .filter((part) => part !== '')
    .join('  ');
}

async function runMutant(
  mutant: Mutant,
  faults: readonly Fault[],
  options: CampaignOptions,
): Promise<MutantResult> {
  const build = await plant(mutant, options.build);
  try {
    const { onProgress: _, ...same } = options;
    const results = await runCampaign(faults, { ...same, build, isFirstEnough: true });
    const idsOf = (isIt: (result: (typeof results)[number]) => boolean) =>
      results.filter(isIt).map(({ id }) => id);
    return {
      title: mutant.title,
      foundBy: idsOf(({ violationCount }) => violationCount > 0),
      missedBy: idsOf(({ violationCount, skipped }) => violationCount === 0 && !skipped),
      skipped: idsOf(({ skipped }) => skipped !== undefined),
    };
  } finally {
    await rm(build, { recursive: true });
  }
}

/** A copy of the build with the bug in it, where it finds the same packages. Throws when its place is not found once. */
async function plant(mutant: Mutant, build: string): Promise<string> {
  const copy = join(build, 'mutant');
  await rm(copy, { recursive: true, force: true });
  for (const part of ['src', 'test']) {
    await cp(join(build, part), join(copy, part), { recursive: true });
  }
  const path = join(copy, 'src', `${mutant.module}.js`);
  const text = await readFile(path, 'utf8');
  const places = text.match(new RegExp(mutant.from, 'g'))?.length ?? 0;
  if (places !== 1) throw new Error(`"${mutant.title}": its place is found ${places} times`);
  await writeFile(path, text.replace(mutant.from, mutant.to));
  return copy;
}
