import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../support/project-root.ts';

const dashboardFile = 'manifests/monitoring/dashboard.json';

const datasource = z.strictObject({
  type: z.literal('prometheus'),
  uid: z.literal('$datasource'),
});

const gridPos = z.strictObject({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(1).max(12),
});

const row = z.strictObject({
  id: z.int(),
  type: z.literal('row'),
  title: z.string().endsWith('?'),
  collapsed: z.literal(false),
  gridPos,
  panels: z.tuple([]),
});

const thresholds = z.strictObject({
  mode: z.literal('absolute'),
  steps: z
    .array(
      z.strictObject({
        color: z.enum(['red', 'orange', 'green']),
        value: z.number().nullable(),
      }),
    )
    .min(1),
});

const panel = z.strictObject({
  id: z.int(),
  type: z.enum(['timeseries', 'stat']),
  title: z.string().min(1),
  description: z.string().endsWith('.'),
  datasource,
  gridPos,
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit: z.enum(['short', 's', 'bytes', 'reqps', 'percentunit', 'bool_yes_no']),
      min: z.number().optional(),
      max: z.number().optional(),
      noValue: z.string().optional(),
      thresholds: thresholds.optional(),
    }),
    overrides: z.tuple([]),
  }),
  options: z.strictObject({ textMode: z.literal('name') }).optional(),
  targets: z
    .array(
      z.strictObject({
        refId: z.string().regex(/^[A-F]$/),
        expr: z.string().includes('{instance=~"$instance"'),
        legendFormat: z.string().min(1),
      }),
    )
    .min(1),
});

/** What Grafana needs of a dashboard, as far as ours goes: what is not named here would be a mistake. */
const dashboard = z.strictObject({
  title: z.literal('Repricer'),
  uid: z.string().regex(/^[a-z-]{1,40}$/),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.literal(39),
  version: z.int(),
  editable: z.boolean(),
  graphTooltip: z.literal(1),
  refresh: z.string(),
  timezone: z.literal('utc'),
  time: z.strictObject({ from: z.string().startsWith('now-'), to: z.literal('now') }),
  templating: z.strictObject({
    list: z.tuple([
      z.strictObject({
        name: z.literal('datasource'),
        label: z.string(),
        type: z.literal('datasource'),
        query: z.literal('prometheus'),
      }),
      z.strictObject({
        name: z.literal('instance'),
        label: z.string(),
        type: z.literal('query'),
        datasource,
        query: z.string().regex(/^label_values\(\w+, instance\)$/),
        refresh: z.literal(2),
        includeAll: z.literal(true),
        multi: z.literal(true),
        allValue: z.literal('.+'),
        current: z.strictObject({ text: z.literal('All'), value: z.literal('$__all') }),
      }),
    ]),
  }),
  panels: z.array(z.discriminatedUnion('type', [row, panel])).min(1),
});

export type Dashboard = z.infer<typeof dashboard>;
export type DashboardPanel = Dashboard['panels'][number];

/** The dashboard, as strictly as its schema has it. */
export function parseDashboard(text: string): Dashboard {
  return dashboard.parse(JSON.parse(text));
}

export async function readDashboardText(): Promise<string> {
  return readFile(join(await projectRoot(), dashboardFile), 'utf8');
}

/** Every expression of a dashboard, as Prometheus gets it, with the title of its panel. */
export function expressionsOf({
  panels,
}: Dashboard): readonly { readonly place: string; readonly expr: string }[] {
  return panels.flatMap((one) =>
    one.type === 'row'
      ? []
      : one.targets.map(({ expr }) => ({
          place: one.title,
          expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.+'),
        })),
  );
}
