/** A line of ava's TAP that tells how a test ended, and the lines about it that follow. */
interface Case {
  readonly suite: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly details: string[];
}

/** Stands between the file and the title, and between the parts of both. */
const separator = ' › ';

/** JUnit's XML, as pipelines read it, from what `ava --tap` wrote: a case for every test, also for a skipped one. */
export function junitOf(tap: string): string {
  const cases = parseTap(tap);
  const count = (outcome: Case['outcome']) => cases.filter((one) => one.outcome === outcome).length;
  const totals = `tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `<testsuite name="repricer" ${totals}>`,
    ...cases.map(presentCase),
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function parseTap(tap: string): readonly Case[] {
  const cases: Case[] = [];
  for (const line of tap.split('\n')) {
    const result = /^(not )?ok \d+ - (.*?)( # (?:SKIP|TODO))?$/.exec(line);
    const [, not, title = '', later] = result ?? [];
    if (result === null) {
      // Indented lines are about the test before; others are the totals, and whatever else was printed.
      const about = /^(?:# {3}| {2})(.*)/.exec(line)?.[1];
      if (about !== undefined) cases.at(-1)?.details.push(about);
      continue;
    }
    const end = title.lastIndexOf(separator);
    cases.push({
      suite: end === -1 ? 'ava' : title.slice(0, end),
      name: end === -1 ? title : title.slice(end + separator.length),
      outcome: later !== undefined ? 'skipped' : not !== undefined ? 'failed' : 'passed',
      details: [],
    });
  }
  return cases;
}

function presentCase({ suite, name, outcome, details }: Case): string {
  const text = escapeXml(details.join('\n'));
  const inner = {
    passed: text === '' ? '' : `<system-out>${text}</system-out>`,
    skipped: '<skipped/>',
    failed: `<failure message="failed">${text}</failure>`,
  }[outcome];
  return `<testcase classname="${escapeXml(suite)}" name="${escapeXml(name)}">${inner}</testcase>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** What may stand in XML; characters that may not, even as entities, become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\n\t]|[\uFFFE\uFFFF]/gu, '\uFFFD')
    .replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
