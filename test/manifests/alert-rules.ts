import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { projectRoot } from '../support/project-root.ts';
import { parseYaml } from './manifest-files.ts';

const duration = z.string().regex(/^[0-9]+m$|^[0-9]+h$/);

/** What an alert of ours has; anything else in the file is a mistake. */
const alertRule = z.strictObject({
  alert: z.string().regex(/^Repricer[A-Z][A-Za-z]+$/),
  expr: z.string().min(1),
  for: duration,
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({
    summary: z.string().min(1).max(100),
    description: z.string().min(1).max(120),
    runbook: z.string().startsWith('docs/operations.md#'),
  }),
});

const ruleFile = z.strictObject({
  groups: z.tuple([z.strictObject({ name: z.literal('repricer'), rules: z.array(alertRule) })]),
});

export type AlertRule = z.infer<typeof alertRule>;

export const alertRulesFile = 'manifests/monitoring/alerts.yaml';

export async function readAlertRules(): Promise<readonly AlertRule[]> {
  const text = await readFile(join(await projectRoot(), alertRulesFile), 'utf8');
  return ruleFile.parse(parseYaml(text)[0]).groups[0].rules;
}

/** Asserts that promtool ends well. */
export function requirePromtool(t: ExecutionContext, ...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
}
