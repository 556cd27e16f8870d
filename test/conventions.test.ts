import { readdir, readFile } from 'node:fs/promises';
import { extname, join, posix, relative, sep } from 'node:path';
import test from 'ava';
import { projectRoot } from './support/project-root.ts';

/** A file of `src`: its path from there with `/`, and its text. */
interface Source {
  readonly path: string;
  readonly text: string;
}

/** A rule of the house: its title, what breaks it, and examples that show that the check can tell. */
interface Rule {
  readonly title: string;
  readonly violationsIn: (sources: readonly Source[]) => readonly string[];
  /** Each of them alone breaks the rule. */
  readonly planted: readonly Source[];
  /** None of them breaks it, though it looks a little as if. */
  readonly innocent: readonly Source[];
}

/** What every route may be made of. */
const ofRequests = ['http/input/', 'http/server/', 'http/access/'];

/**
 * The layers, and what each may import besides itself: path prefixes within `src`. Data flows one
 * way, http → ledger → storage → files, and `model/` and `errors.ts` are leaves.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'exit-code.ts': ['errors.ts'],
  'package-version.ts': [],
  'model/': ['errors.ts'],
  'files/': ['errors.ts'],
  'access/': ['files/', 'model/', 'errors.ts'],
  'storage/': ['files/', 'model/', 'errors.ts'],
  'ledger/': ['storage/', 'model/', 'errors.ts'],
  'ops/': ['access/', 'storage/storage-events.ts', 'storage/snapshot.ts', 'model/', 'errors.ts'],
  'client/': [],
  'http/input/': ['model/', 'errors.ts'],
  'http/server/': ['http/input/', 'access/', 'ops/', 'errors.ts'],
  'http/access/': ['http/input/', 'access/', 'model/', 'errors.ts'],
  'http/read/': [...ofRequests, 'ledger/', 'model/', 'errors.ts'],
  'http/write/': [...ofRequests, 'http/read/', 'access/', 'ledger/', 'model/', 'errors.ts'],
  'http/feed/': [...ofRequests, 'http/read/', 'ledger/', 'ops/', 'model/', 'errors.ts'],
  'http/hot/': [
    ...ofRequests,
    'http/read/',
    'http/write/',
    'access/',
    'ledger/',
    'ops/',
    'model/',
    'errors.ts',
  ],
  'http/docs/': ['http/server/', 'errors.ts'],
  'http/openapi/': ['http/', 'access/', 'errors.ts'],
  'cli/': [
    'service.ts',
    'config/',
    'exit-code.ts',
    'access/',
    'storage/',
    'files/',
    'ops/',
    'model/',
    'errors.ts',
  ],
  'config/': ['access/', 'model/', 'package-version.ts', 'errors.ts'],
  'app.ts': [''],
  'service.ts': [''],
  'service-readings.ts': [''],
  'main.ts': [''],
};

const rules: readonly Rule[] = [
  {
    title: 'imports point down',
    violationsIn: (sources) => sources.flatMap(importsUpward),
    planted: [
      { path: 'model/price.ts', text: "import { Journal } from '../storage/journal.ts';" },
      { path: 'errors.ts', text: "import type { Price } from './model/price.ts';" },
      { path: 'files/lines.ts', text: "import type { Price } from '../model/price.ts';" },
      { path: 'storage/journal.ts', text: "import { PriceLedger } from '../ledger/a.ts';" },
      { path: 'ledger/batch.ts', text: "import { readLines } from '../files/lines.ts';" },
      {
        path: 'http/write/reprice.ts',
        text: "import { Journal } from '../../storage/journal.ts';",
      },
      { path: 'ops/metrics.ts', text: "import { Journal } from '../storage/journal.ts';" },
      { path: 'cli/verify.ts', text: "import { reprice } from '../http/write/reprice.ts';" },
      { path: 'config/options.ts', text: "import { createApp } from '../app.ts';" },
      { path: 'ledger/a.ts', text: "import {\n  type A,\n  b,\n} from '../http/b.ts';" },
      { path: 'ledger/a.ts', text: "export { b } from '../http/b.ts';" },
      { path: 'ledger/a.ts', text: "import '../http/b.ts';" },
      { path: 'ledger/a.ts', text: "const b = await import('../http/b.ts');" },
      { path: 'ledger/a.ts', text: "let b: import('../http/b.ts').B;" },
      { path: 'ledger/a.ts', text: 'new URL("../http/b.ts", import.meta.url);' },
      { path: 'app.ts', text: "import { test } from '../test/support/a.ts';" },
      { path: 'client/a.ts', text: "import type { Price } from '../model/price.ts';" },
      { path: 'http/input/a.ts', text: "import { reprice } from '../write/reprice.ts';" },
      { path: 'http/read/a.ts', text: "import { reprice } from '../write/reprice.ts';" },
      { path: 'http/a.ts', text: 'export const a = 1;' },
      { path: 'newcomer/a.ts', text: 'export const a = 1;' },
    ],
    innocent: [
      { path: 'http/write/reprice.ts', text: "import { PriceLedger } from '../../ledger/a.ts';" },
      { path: 'storage/journal.ts', text: "import { encodeRecord } from './record.ts';" },
      { path: 'ops/a.ts', text: "import type { S } from '../storage/storage-events.ts';" },
      { path: 'service.ts', text: "import { Journal } from './storage/journal.ts';" },
      { path: 'ledger/a.ts', text: "import assert from 'node:assert';" },
      { path: 'ledger/a.ts', text: "// as in import { b } from '../http/b.ts';" },
    ],
  },
  {
    title: 'only src/files/ makes system calls on files',
    violationsIn: forbid(/['"](?:node:)?fs(?:\/promises)?['"]/, { except: ['files/'] }),
    planted: [
      { path: 'storage/journal.ts', text: "import { rename } from 'node:fs/promises';" },
      { path: 'main.ts', text: "import * as fs from 'node:fs';" },
      { path: 'cli/tail.ts', text: 'const fs = await import("fs");' },
    ],
    innocent: [
      { path: 'files/file-system.ts', text: "import * as fs from 'node:fs/promises';" },
      { path: 'files/directory-lock.ts', text: "import { tryLock } from 'fs-native-extensions';" },
      { path: 'storage/journal.ts', text: '/** Takes the place of `node:fs`. */' },
    ],
  },
  {
    title: 'only src/config/ reads the environment',
    violationsIn: forbid(/\bprocess\??\.env\b|\{[^{}]*\benv\b[^{}]*\}\s*=\s*process\b/, {
      except: ['config/'],
    }),
    planted: [
      { path: 'ops/log.ts', text: 'const level = process.env.LOG_LEVEL;' },
      { path: 'ops/log.ts', text: 'const text = `at ${' + "process.env['TZ']}`;" },
      { path: 'main.ts', text: 'const { argv, env } = process;' },
    ],
    innocent: [
      { path: 'config/read-config.ts', text: 'return readConfig(process.env, argv);' },
      { path: 'ops/log.ts', text: '/** Not from `process.env`. */' },
    ],
  },
  {
    title: 'only src/main.ts takes signals and ends the process',
    violationsIn: forbid(
      /\bprocess\??\.(?:exit|exitCode|reallyExit|abort|kill|on|once|addListener)\b/,
      { except: ['main.ts'] },
    ),
    planted: [
      { path: 'service.ts', text: "process.on('SIGTERM', stop);" },
      { path: 'service.ts', text: "process.once('SIGINT', stop);" },
      { path: 'cli/verify.ts', text: 'process.exit(65);' },
      { path: 'cli/verify.ts', text: 'process.exitCode = 65;' },
    ],
    innocent: [
      { path: 'main.ts', text: "process.on('SIGTERM', stop); process.exitCode = 1;" },
      { path: 'ops/log.ts', text: "process.stdout.on('error', stop);" },
      { path: 'cli/verify.ts', text: 'return { exitCode: 65 };' },
    ],
  },
  {
    title: 'process is a global, so that the checks on its use see it',
    violationsIn: forbid(/['"](?:node:)?process['"]/),
    planted: [
      { path: 'ops/log.ts', text: "import { env } from 'node:process';" },
      { path: 'main.ts', text: "import process from 'process';" },
    ],
    innocent: [{ path: 'ops/log.ts', text: "const metric = 'process_cpu_seconds';" }],
  },
  {
    title: 'only src/http/, src/app.ts and the backplane in src/ops/ know Koa',
    violationsIn: forbid(/['"](?:koa|@koa\/[^'"]*|koa-[^'"]*)['"]/, {
      except: [
        'http/',
        'app.ts',
        'ops/backplane.ts',
        'ops/answer-profiles.ts',
        'ops/admin-routes.ts',
        'ops/present-problem.ts',
        'ops/refuse-pages.ts',
        'ops/require-local-name.ts',
        'ops/require-operator.ts',
      ],
    }),
    planted: [
      { path: 'ledger/price-ledger.ts', text: "import type { Context } from 'koa';" },
      { path: 'service.ts', text: "import Router from '@koa/router';" },
      { path: 'ops/metrics.ts', text: "import bodyParser from 'koa-bodyparser';" },
    ],
    innocent: [
      { path: 'http/write/reprice.ts', text: "import type { Middleware } from 'koa';" },
      { path: 'app.ts', text: "import Koa from 'koa';" },
      { path: 'ops/backplane.ts', text: "import Koa from 'koa';" },
    ],
  },
  {
    title: 'src/client/ needs nothing but what browsers have too',
    violationsIn: (sources) =>
      forbid(/\bfrom ['"](?!\.)|\bimport\s*['"(]|\b(?:Buffer|process|setImmediate|NodeJS)\b/)(
        sources.filter(({ path }) => path.startsWith('client/')),
      ),
    planted: [
      { path: 'client/a.ts', text: "import { once } from 'node:events';" },
      { path: 'client/a.ts', text: "import 'undici';" },
      { path: 'client/a.ts', text: "const a = await import('node:events');" },
      { path: 'client/a.ts', text: 'const bytes = Buffer.from(text);' },
      { path: 'client/a.ts', text: 'let timer: NodeJS.Timeout;' },
    ],
    innocent: [
      { path: 'client/a.ts', text: "import { a } from './b.ts';" },
      { path: 'client/a.ts', text: 'const bytes = new TextEncoder().encode(text);' },
      { path: 'http/a.ts', text: "import { once } from 'node:events';" },
    ],
  },
  {
    title: 'a file is named after what it exports, and not after nothing in particular',
    violationsIn: (sources) =>
      sources
        .filter(({ path }) => /(?:^|\/)(?:utils?|helpers?|common|types|index)(?:[./]|$)/.test(path))
        .map(({ path }) => `${path}: the name says nothing`),
    planted: ['utils.ts', 'http/helpers.ts', 'storage/types.d.ts', 'index.ts', 'common/a.ts'].map(
      (path) => ({ path, text: '' }),
    ),
    innocent: ['http/media-types.ts', 'storage/segment-index.ts', 'files/commons.ts'].map(
      (path) => ({ path, text: '' }),
    ),
  },
  {
    title: 'nothing is of type any',
    violationsIn: (sources) => sources.flatMap((source) => find(/(?<!\.)\bany\b/, bare, source)),
    planted: [
      { path: 'a.ts', text: 'const a: any = 1;' },
      { path: 'a.ts', text: 'const a = b as any;' },
      { path: 'a.ts', text: 'const a: Map<string, any[]> = b;' },
    ],
    innocent: [
      { path: 'a.ts', text: '// for any other text' },
      { path: 'a.ts', text: '/**\n * Any or any.\n */' },
      { path: 'a.ts', text: "throw new Error('not any');" },
      { path: 'a.ts', text: 'throw new Error(`not any\nof them`);' },
      { path: 'a.ts', text: 'AbortSignal.any(signals);' },
      { path: 'a.ts', text: 'const company = many;' },
    ],
  },
  {
    title: 'no work is left for later in a comment',
    violationsIn: (sources) =>
      sources.flatMap((source) => find(/\b(?:TODO|FIXME)\b/, whole, source)),
    planted: [
      { path: 'a.ts', text: '// TODO: the rest' },
      { path: 'a.ts', text: '/* FIXME */' },
    ],
    innocent: [{ path: 'a.ts', text: 'const todos = 1; // todo, as a word' }],
  },
  {
    title: 'no path of one machine is written down',
    violationsIn: (sources) =>
      sources.flatMap((source) =>
        find(
          /(?<![\w.)}\]*])\/(?:home|Users|root|work|tmp)\/|\b[A-Z]:\\\\|file:\/\/\//,
          whole,
          source,
        ),
      ),
    planted: [
      { path: 'a.ts', text: "open('/home/someone/data');" },
      { path: 'a.ts', text: '// see /work/main/design.md' },
      { path: 'a.ts', text: "open('C:\\\\data');" },
      { path: 'a.ts', text: "open('file:///data');" },
    ],
    innocent: [
      { path: 'a.ts', text: "open('./data'); get('/api/home/'); join(work, '/data/tmp');" },
      { path: 'a.ts', text: "open('results/tmp/a');" },
    ],
  },
  {
    title: 'no error is caught and forgotten',
    violationsIn: forbid(
      /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\s*(?:\w+|\([^)]*\))\s*=>\s*(?:\{\s*\}|undefined|null)\s*\)/,
    ),
    planted: [
      { path: 'a.ts', text: 'try { a(); } catch {}' },
      { path: 'a.ts', text: 'try { a(); } catch (error) {\n}' },
      { path: 'a.ts', text: 'try { a(); } catch {\n  // never mind\n}' },
      { path: 'a.ts', text: 'await a().catch(() => {});' },
      { path: 'a.ts', text: 'await a().catch((error: unknown) => undefined);' },
    ],
    innocent: [
      { path: 'a.ts', text: 'try { a(); } catch (error) { log(error); }' },
      { path: 'a.ts', text: 'await a().catch((error: unknown) => log(error));' },
    ],
  },
];

for (const { title, violationsIn, planted, innocent } of rules) {
  test(`in src, ${title}`, async (t) => {
    const sources = await readSources();

    const violations = violationsIn(sources);

    t.deepEqual(violations, []);
  });

  test(`the check that ${title} finds what breaks it`, (t) => {
    for (const source of planted) {
      t.is(violationsIn([source]).length, 1, `${source.path}: ${source.text}`);
    }
  });

  test(`the check that ${title} finds no fault where there is none`, (t) => {
    for (const source of innocent) {
      t.deepEqual(violationsIn([source]), [], `${source.path}: ${source.text}`);
    }
  });
}

test('the checks see every source file', async (t) => {
  const sources = await readSources();

  const paths = sources.map(({ path }) => path);

  t.true(paths.includes('errors.ts'));
  t.true(paths.includes('model/price.ts'));
  t.true(sources.every(({ text }) => text.length > 0));
});

test('a violation is reported with its file and line', (t) => {
  const source = { path: 'a.ts', text: '/*\n */\nconst a = 1;\nprocess.exit(a);\n' };

  const violations = forbid(/process\.exit/)([source]);

  t.deepEqual(violations, ['a.ts:4: process.exit']);
});

test('text in strings is no comment, and text in comments is no string', (t) => {
  const text = "const a = 'http://b'; // it's\nconst c = \"/*\"; const d = `*/`; /* ' */ e;";

  t.is(code(text), 'const a = \'http://b\';        \nconst c = "/*"; const d = `*/`;         e;');
  t.is(bare(text), 'const a =           ;        \nconst c =     ; const d =     ;         e;');
});

/** Violations wherever `pattern` stands in code, outside comments and outside the places that may have it. */
function forbid(pattern: RegExp, { except = [] }: { except?: readonly string[] } = {}) {
  return (sources: readonly Source[]): readonly string[] =>
    sources
      .filter(({ path }) => !except.some((prefix) => path.startsWith(prefix)))
      .flatMap((source) => find(pattern, code, source));
}

function find(
  pattern: RegExp,
  view: (text: string) => string,
  { path, text }: Source,
): readonly string[] {
  const seen = view(text);
  return [...seen.matchAll(new RegExp(pattern, 'g'))].map(
    (match) => `${path}:${lineAt(seen, match.index)}: ${match[0]}`,
  );
}

function importsUpward(source: Source): readonly string[] {
  const layer = layerOf(source.path);
  const allowed = mayImport[layer];
  if (allowed === undefined) return [`${source.path}: "${layer}" has no place among the layers`];
  return importsOf(source)
    .filter(({ target }) => layerOf(target) !== layer)
    .filter(
      ({ target }) =>
        target.startsWith('../') || !allowed.some((prefix) => target.startsWith(prefix)),
    )
    .map(({ target, line }) => `${source.path}:${line}: imports ${target}`);
}

/** What a file imports by relative path, in whatever way: every module's path has its ending. */
function importsOf({ path, text }: Source): readonly { target: string; line: number }[] {
  const seen = code(text);
  return [...seen.matchAll(/['"](\.\.?\/[^'"\n]*\.[jt]s)['"]/g)].map((match) => ({
    target: posix.join(posix.dirname(path), match[1] ?? ''),
    line: lineAt(seen, match.index),
  }));
}

/** Its folder, or in `http/` the folder within; a file of neither is a layer of its own. */
function layerOf(path: string): string {
  return /^(?:http\/)?[^/]+\//.exec(path)?.[0] ?? path;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

const stringOrComment =
  /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^\\`])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g;

function whole(text: string): string {
  return text;
}

/** The text with its comments blanked, line by line. */
function code(text: string): string {
  return text.replace(stringOrComment, (found, string?: string) => string ?? blank(found));
}

/** The text with its comments and strings blanked. */
function bare(text: string): string {
  return text.replace(stringOrComment, blank);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

async function readSources(): Promise<readonly Source[]> {
  const directory = join(await projectRoot(), 'src');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && extname(entry.name) === '.ts')
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(directory, path).split(sep).join('/'),
      text: await readFile(path, 'utf8'),
    })),
  );
}
