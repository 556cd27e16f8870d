/** What an expression of Prometheus picks: a metric, and which of its series. */
export interface MetricSelector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

const keywords: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'offset', 'bool']);

/** Every metric that an expression names. Braces within the values of labels are not understood. */
export function selectorsOf(expr: string): readonly MetricSelector[] {
  const bare = expr
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => !keywords.has(name))
    .map(([, metric = '', labels = '']) => ({ metric, matchers: matchersOf(labels) }));
}

function matchersOf(labels: string): readonly Matcher[] {
  return [...labels.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
    ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
  );
}

/** What a scrape has: the types of its metrics, and its samples. */
export interface Scrape {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

export function parseScrape(text: string): Scrape {
  const lines = text.split('\n');
  return {
    types: new Map(
      lines
        .map((line) => /^# TYPE (\S+) (\S+)$/.exec(line))
        .filter((match) => match !== null)
        .map(([, name = '', type = '']) => [name, type]),
    ),
    samples: lines
      .map((line) => /^(\w+)(?:\{(.*)\})? \S+$/.exec(line))
      .filter((match) => match !== null)
      .map(([, name = '', labels = '']) => ({
        name,
        labels: Object.fromEntries(
          matchersOf(labels).map(({ label, value }) => [label, value] as const),
        ),
      })),
  };
}

/** What of the selector no scrape has; undefined when all is well. */
export function lackOf({ metric, matchers }: MetricSelector, scrape: Scrape): string | undefined {
  if (!isKnown(metric, scrape.types)) return `there is no metric ${metric}`;
  const values = matchers
    // Prometheus adds it.
    .filter(({ label }) => label !== 'instance')
    .flatMap(({ label, value }) => value.split('|').map((one) => ({ label, value: one })));
  const absent = values.find(
    ({ label, value }) =>
      !scrape.samples.some(({ name, labels }) => name === metric && labels[label] === value),
  );
  return absent && `there is no ${metric}{${absent.label}="${absent.value}"}`;
}

function isKnown(metric: string, types: Scrape['types']): boolean {
  const [, family = metric, part] = /^(.*)_(bucket|sum|count)$/.exec(metric) ?? [];
  if (part !== undefined && types.get(family) === 'histogram') return true;
  return types.has(metric) && types.get(metric) !== 'histogram';
}
