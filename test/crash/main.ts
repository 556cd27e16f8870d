import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CampaignOptions, isGood, runCampaign } from './campaign.ts';
import { formatReport } from './campaign-report.ts';
import type { Fault, Size } from './fault.ts';
import { faults } from './faults.ts';
import { mutants } from './mutants.ts';
import { formatMutation, isNotMissed, runMutation } from './mutation.ts';
import { measurePace } from './pace.ts';

/* The fault suite: runs the faults of the table against the service that was built beside it. */

const usage = `Usage: npm run faults -- [flags]     (npm run soak is the same with --size soak)

  --size quick|soak   how many trials of each (quick)
  --only F1,F3        these faults only, without the planted bugs
  --mutants           the planted bugs only
  --seed N            the numbers that an earlier run drew
  --json FILE         keeps the results
`;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'quick' },
    only: { type: 'string' },
    mutants: { type: 'boolean' },
    seed: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

// The processes of the faults are ended when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.help === true) print(usage);
else process.exitCode = await run();

async function run(): Promise<number> {
  const size = parseSize(values.size);
  const seed = values.seed ?? String(randomInt(1e9));
  const build = fileURLToPath(new URL('../..', import.meta.url));
  const faultMinutesMax = size === 'quick' ? 15 : 60;
  const pace = await measurePace();
  const options: CampaignOptions = { size, seed, pace, build, faultMinutesMax, onProgress: print };
  print(
    `size ${size}, seed ${seed}; bounds in milliseconds times ${pace.toFixed(1)} on this machine`,
  );
  const results = values.mutants === true ? [] : await runCampaign(chosen(values.only), options);
  const isWhole = values.only === undefined;
  const planted = isWhole ? await runMutation(mutants, faults, options) : [];
  print(`\n${formatReport(results, size, seed)}`);
  if (isWhole) print(`\n${formatMutation(planted)}`);
  if (values.json !== undefined) await keep(values.json, { size, seed, results, planted });
  return results.every(isGood) && planted.every(isNotMissed) ? 0 : 1;
}

function parseSize(text: string): Size {
  if (text === 'quick' || text === 'soak') return text;
  throw new Error('--size is quick or soak');
}

function chosen(only: string | undefined): readonly Fault[] {
  if (only === undefined) return faults;
  return only.split(',').map((id) => {
    const fault = faults.find((one) => one.id === id);
    if (fault === undefined) throw new Error(`${id} is none of ${faults.map((one) => one.id)}`);
    return fault;
  });
}

async function keep(path: string, report: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, undefined, 2)}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
