import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { projectRoot } from './support/project-root.ts';

/* docs/log.md tells of every line that the source can log, and of no other. */

interface LoggedLine {
  readonly message: string;
  readonly levels: readonly string[];
  readonly fields: readonly string[];
}

/** Chosen when the line is written, so they cannot be seen in the call. */
const levelsOfRequest = ['error', 'info', 'warn'];

/** What functions add to the fields of a line. */
const spreads: ReadonlyMap<string, readonly string[]> = new Map([
  ['...failureFields', ['code', 'error']],
  ['...actorField', ['actor']],
  ['...fields', ['method', 'route', 'path', 'status', 'durationMs', 'traceId', 'spanId', 'actor']],
]);

test('every line that can be logged is documented with its level and fields, and nothing else is', async (t) => {
  const root = await projectRoot();

  const logged = (await readSources(root)).flatMap(loggedLines);
  const documented = documentedLines(await readFile(join(root, 'docs/log.md'), 'utf8'));

  t.deepEqual(missing(logged, documented), [], 'logged, and not documented so');
  t.deepEqual(missing(documented, logged), [], 'documented, and not logged so');
});

test('every call of the log gives its message as it is, so that none escapes the check', async (t) => {
  for (const text of await readSources(await projectRoot())) {
    t.deepEqual(hiddenLines(text), []);
  }
});

test('a line that is not documented, or not logged, or with other fields is found', (t) => {
  const one = { message: 'one', levels: ['warn'], fields: ['a', 'b', 'c'] };

  t.deepEqual(loggedLines("this.#log.warn('one', { b, a: f(x, { y }),\n c: 1 });"), [one]);
  t.deepEqual(loggedLines("if (bad) parts.log.warn(\n'one', {\n a, b, c,\n });"), [one]);
  t.deepEqual(documentedLines('| `warn` | `one` | `a`, `b`, `c` | what `d` means |'), [one]);
  t.deepEqual(loggedLines("log.info('two')"), [{ message: 'two', levels: ['info'], fields: [] }]);
  for (const hidden of [
    "log.warn('one' + a, { a })",
    'log.warn(`one`)',
    'log.warn(message)',
    "logger.warn('one')",
    'log[level](`one`)',
  ]) {
    t.is(hiddenLines(hidden).length, 1, hidden);
  }
});

/** Calls that log with a message that is written out. */
const written = /\blog(?:\.(error|warn|info|debug)|\[level\])\(\s*'([^'\n]+)'(?=[,)])/g;

function loggedLines(source: string): readonly LoggedLine[] {
  const calls = [...source.matchAll(written)].map((match) => {
    const [call, level, message = ''] = match;
    const fields = fieldsAt(source, match.index + call.length);
    return {
      message,
      levels: level === undefined ? levelsOfRequest : [level],
      fields: fields.flatMap((field) => spreads.get(field) ?? [field]),
    };
  });
  const entries = source.matchAll(/level: '(\w+)',\s*message: '([^']+)',\s*fields: \{ (\w+)/g);
  const made = [...entries].map(([, level = '', message = '', field = '']) => ({
    message,
    levels: [level],
    fields: [field],
  }));
  return [...calls, ...made].map((line) => ({ ...line, fields: line.fields.toSorted() }));
}

/** The names of the object literal that follows a message as the second argument. */
function fieldsAt(source: string, offset: number): readonly string[] {
  const [before] = /^,\s*\{/.exec(source.slice(offset)) ?? [];
  if (before === undefined) return [];
  let depth = 0;
  let name = '';
  const names: string[] = [];
  for (const character of source.slice(offset + before.length)) {
    if (depth === 0 && (character === ',' || character === '}')) {
      if (name.trim() !== '') names.push(name.trim());
      name = '';
      if (character === '}') return names.map((text) => /^[.\w]+/.exec(text)?.[0] ?? text);
    } else if ('{(['.includes(character)) depth += 1;
    else if ('})]'.includes(character)) depth -= 1;
    else if (depth === 0) name += character;
  }
  return names;
}

/** Calls that look like logging and that `loggedLines` does not understand. */
function hiddenLines(source: string): readonly string[] {
  const isUnderstood = new Set([...source.matchAll(written)].map(({ index }) => index));
  const calls = source.matchAll(/\b\w+(?:\.(?:error|warn|info|debug)|\[level\])\(/g);
  return [...calls].filter(({ index }) => !isUnderstood.has(index)).map(([call]) => call);
}

function documentedLines(document: string): readonly LoggedLine[] {
  return document
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [, levels = '', message = '', fields = ''] = line.split('|');
      return {
        message: codeIn(message)[0] ?? '',
        levels: codeIn(levels).toSorted(),
        fields: codeIn(fields).toSorted(),
      };
    });
}

function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** Those of the first that are not among the second. */
function missing(these: readonly LoggedLine[], those: readonly LoggedLine[]): readonly string[] {
  const known = new Set(those.map(describe));
  return these.map(describe).filter((line) => !known.has(line));
}

function describe({ levels, message, fields }: LoggedLine): string {
  return `${levels.join(', ')}: ${message} (${fields.join(', ')})`;
}

async function readSources(root: string): Promise<readonly string[]> {
  const directory = join(root, 'src');
  const names = await readdir(directory, { recursive: true });
  const sources = names.filter((name) => name.endsWith('.ts'));
  return Promise.all(sources.map((name) => readFile(join(directory, name), 'utf8')));
}
