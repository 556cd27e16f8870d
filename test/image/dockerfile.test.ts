import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readConfig } from '../../src/config/read-config.ts';
import { RepricerError } from '../../src/errors.ts';
import { projectRoot } from '../support/project-root.ts';
import {
  type Instruction,
  pairsOf,
  parseDockerfile,
  type Stage,
  variablesOf,
} from './dockerfile.ts';

interface Image {
  readonly stages: readonly Stage[];
  /** The last stage, of which the image is made. */
  readonly final: Stage;
  /** What of the checkout a build can see. */
  readonly context: readonly string[];
}

interface Rule {
  readonly title: string;
  readonly isKept: (image: Image) => boolean;
  /** Changes to the Dockerfile, of which each alone breaks the rule. */
  readonly planted: readonly (readonly [good: string, bad: string])[];
}

const user = '65532:65532';

/** Instructions that are used; any other is a misspelt one, or has to be thought about here. */
const known = [
  ...['ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'LABEL', 'RUN', 'STOPSIGNAL', 'USER'],
  'WORKDIR',
];

const rules: readonly Rule[] = [
  {
    title: 'every instruction and every flag is a known one',
    isKept: ({ stages }) =>
      stages
        .flatMap(({ instructions }) => instructions)
        .every(
          ({ name, flags }) =>
            known.includes(name) &&
            [...flags.keys()].every((flag) => ['from', 'chown', 'mount'].includes(flag)),
        ),
    planted: [
      ['STOPSIGNAL', 'STOP_SIGNAL'],
      ['COPY tsconfig.json', 'ADD tsconfig.json'],
      ['--chown=', '--owner='],
    ],
  },
  {
    title:
      'it is made of Node.js 24, to build by its full version and to run without a shell or root',
    isKept: ({ stages, final }) =>
      final.image === 'gcr.io/distroless/nodejs24-debian13:nonroot' &&
      stages.slice(0, -1).every(({ image }) => /^node:24\.\d+\.\d+-trixie-slim$/.test(image)),
    planted: [
      ['node:24.21.0-trixie-slim', 'node:24-trixie-slim'],
      ['node:24.21.0-trixie-slim', 'node:latest'],
      ['node:24.21.0-trixie-slim', 'node:20.21.0-trixie-slim'],
      ['FROM gcr.io/distroless/nodejs24-debian13:nonroot', 'FROM gcr.io/distroless/nodejs24'],
      ['FROM gcr.io/distroless/nodejs24-debian13:nonroot', 'FROM node:24.21.0-trixie-slim'],
    ],
  },
  {
    title: 'it runs as a user without a name, and nothing after that is done as another',
    isKept: ({ final }) => {
      const users = final.instructions.filter(({ name }) => name === 'USER');
      return users.length === 1 && users[0]?.words.join(' ') === user;
    },
    planted: [
      [`USER ${user}`, 'USER root'],
      [`USER ${user}\n`, ''],
      ['STOPSIGNAL SIGTERM', 'USER 0:0'],
    ],
  },
  {
    title: 'nothing in it needs a shell',
    isKept: ({ final }) =>
      !has(final, 'RUN') &&
      one(final, 'ENTRYPOINT')?.exec !== undefined &&
      one(final, 'CMD')?.exec !== undefined,
    planted: [
      ['EXPOSE', 'RUN chmod 777 /data\nEXPOSE'],
      ['CMD ["serve"]', 'CMD serve'],
      [
        'ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "/app/build/src/main.js"]',
        'ENTRYPOINT /app/build/src/main.js',
      ],
    ],
  },
  {
    title:
      'it starts the built program with "serve", and stops it with a signal that this one takes',
    isKept: ({ final }) =>
      one(final, 'ENTRYPOINT')?.exec?.join(' ') ===
        '/nodejs/bin/node --enable-source-maps /app/build/src/main.js' &&
      one(final, 'CMD')?.exec?.join(' ') === 'serve' &&
      one(final, 'STOPSIGNAL')?.words.join(' ') === 'SIGTERM' &&
      sourcesOf(final).get('./build/src') === 'build:/app/build/src' &&
      sourcesOf(final).get('./') === 'package.json' &&
      one(final, 'WORKDIR')?.words.join(' ') === '/app',
    planted: [
      ['"/nodejs/bin/node"', '"node"'],
      ['CMD ["serve"]', 'CMD ["server"]'],
      ['STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGQUIT'],
      ['/app/build/src ./build/src', '/app/build ./build'],
      // Without it Node.js would not know that the files are modules.
      ['WORKDIR /app\nCOPY package.json ./\nCOPY --from', 'WORKDIR /app\nCOPY --from'],
    ],
  },
  {
    title:
      'its packages are those of the lock file that the service needs, and no script of theirs is run',
    isKept: ({ stages, final }) => {
      const [from = ''] = sourcesOf(final).get('./node_modules')?.split(':') ?? [];
      const commands = (stage: Stage | undefined) =>
        stage?.instructions
          .filter(({ name }) => name === 'RUN')
          .map(({ words }) => words.join(' '));
      const installs = stages.flatMap((stage) =>
        (commands(stage) ?? []).filter((command) => /\bnpm (?!run )/.test(command)),
      );
      return (
        commands(stages.find(({ name }) => name === from))?.join() ===
          'npm ci --omit=dev --ignore-scripts' &&
        installs.every((command) => /^npm ci (--omit=dev )?--ignore-scripts$/.test(command))
      );
    },
    planted: [
      ['npm ci --omit=dev --ignore-scripts', 'npm ci --ignore-scripts'],
      ['npm ci --omit=dev --ignore-scripts', 'npm ci --omit=dev'],
      ['npm ci --ignore-scripts', 'npm install'],
      ['--from=dependencies /app/node_modules', '--from=build /app/node_modules'],
    ],
  },
  {
    title:
      'what is copied is there: in the checkout, where .dockerignore lets it through, or in an earlier stage',
    isKept: ({ stages, context }) =>
      stages.every((stage, index) =>
        stage.instructions
          .filter(({ name }) => name === 'COPY')
          .every(({ flags, words }) => {
            const from = flags.get('from');
            return from === undefined
              ? words.slice(0, -1).every((source) => context.includes(source))
              : stages.slice(0, index).some(({ name }) => name === from);
          }),
      ),
    planted: [
      ['COPY src ./src', 'COPY sources ./src'],
      ['COPY src ./src', 'COPY . .'],
      ['--from=dependencies', '--from=dependency'],
    ],
  },
  {
    title: 'only the data directory belongs to that user',
    isKept: ({ final }) => {
      const owned = final.instructions.filter(({ flags }) => flags.has('chown'));
      return (
        owned.length === 1 &&
        owned[0]?.flags.get('chown') === user &&
        owned[0]?.words.at(-1) === configOf(final).dataDir
      );
    },
    planted: [
      ['--chown=65532:65532', '--chown=1000:1000'],
      ['--chown=65532:65532 ', ''],
      ['COPY --from=dependencies', `COPY --chown=${user} --from=dependencies`],
      ['REPRICER_DATA_DIR=/data', 'REPRICER_DATA_DIR=/date'],
    ],
  },
  {
    title: 'its variables are known to the program, and its ports are those that it listens on',
    isKept: ({ final }) => {
      const { host, port, backplanePort } = configOf(final);
      return (
        host === '0.0.0.0' && one(final, 'EXPOSE')?.words.join(' ') === `${port} ${backplanePort}`
      );
    },
    planted: [
      ['EXPOSE 8080 9102', 'EXPOSE 8080'],
      ['REPRICER_HOST', 'REPRICER_ADDRESS'],
      ['REPRICER_HOST=0.0.0.0', 'REPRICER_HOST=127.0.0.1'],
      ['ARG REVISION=unknown\n', ''],
    ],
  },
  {
    title: 'health and log tell of which revision it was built',
    isKept: ({ final }) => configOf(final).serviceVersion === 'unknown',
    planted: [['    REPRICER_SERVICE_VERSION=$REVISION\n', '    NOTHING=nothing\n']],
  },
  {
    title: 'it lets in nobody until it is told of tokens, or to let in everyone',
    isKept: ({ final }) => isBroken(() => configOf(final, []).host !== ''),
    planted: [
      ['REPRICER_HOST=0.0.0.0', 'REPRICER_HOST=0.0.0.0 REPRICER_ALLOW_ANONYMOUS=true'],
      ['REPRICER_HOST=0.0.0.0', 'REPRICER_HOST=127.0.0.1'],
    ],
  },
  {
    title: 'its labels say what it is, of which revision and from what',
    isKept: ({ final }) => {
      const label = one(final, 'LABEL');
      const labels = label === undefined ? {} : pairsOf(label);
      return (
        ['title', 'description', 'licenses'].every((name) => labels[labelOf(name)]) &&
        labels[labelOf('revision')] === '$REVISION' &&
        labels[labelOf('base.name')] === final.image
      );
    },
    planted: [
      ['image.licenses', 'image.license'],
      ['"$REVISION"', '"unknown"'],
      ['base.name="gcr.io/distroless/nodejs24-debian13:nonroot"', 'base.name="debian"'],
    ],
  },
];

for (const { title, isKept, planted } of rules) {
  test(`in the Dockerfile, ${title}`, async (t) => {
    t.true(isKept(imageOf(...(await readFiles()))));
  });

  test(`the check that ${title} finds what breaks it`, async (t) => {
    const [dockerfile, ignored] = await readFiles();

    for (const [good, bad] of planted) {
      assert(dockerfile.includes(good), good);
      const changed = imageOf(dockerfile.replace(good, bad), ignored);
      t.true(
        isBroken(() => isKept(changed)),
        `${good} → ${bad}`,
      );
    }
  });
}

test('a build sees only what it copies, so that nothing else can get into an image or undo its cache', async (t) => {
  const { stages, context } = imageOf(...(await readFiles()));

  const copied = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ name, flags }) => name === 'COPY' && !flags.has('from'))
    .flatMap(({ words }) => words.slice(0, -1));

  t.deepEqual([...new Set(copied)].sort(), [...context].sort());
  const root = await projectRoot();
  await t.notThrowsAsync(Promise.all(context.map((path) => access(join(root, path)))));
});

async function readFiles(): Promise<readonly [dockerfile: string, ignored: string]> {
  const root = await projectRoot();
  return [
    await readFile(join(root, 'Dockerfile'), 'utf8'),
    await readFile(join(root, '.dockerignore'), 'utf8'),
  ];
}

function imageOf(dockerfile: string, ignored: string): Image {
  const stages = parseDockerfile(dockerfile);
  const final = stages.at(-1);
  assert(final !== undefined);
  const [all, ...exceptions] = ignored.trim().split('\n');
  assert(all === '*' && exceptions.every((line) => line.startsWith('!')));
  return { stages, final, context: exceptions.map((line) => line.slice(1)) };
}

/** Whether a rule is not kept, also as the config cannot be read at all. */
function isBroken(isKept: () => boolean): boolean {
  try {
    return !isKept();
  } catch (error) {
    if (error instanceof RepricerError) return true;
    throw error;
  }
}

function has({ instructions }: Stage, name: string): boolean {
  return instructions.some((instruction) => instruction.name === name);
}

/** The instruction of that name; undefined when there is none, or more than one. */
function one({ instructions }: Stage, name: string): Instruction | undefined {
  const found = instructions.filter((instruction) => instruction.name === name);
  return found.length === 1 ? found[0] : undefined;
}

/** Where each destination of a COPY comes from: `stage:path`, or a path of the checkout. */
function sourcesOf({ instructions }: Stage): ReadonlyMap<string, string> {
  return new Map(
    instructions
      .filter(({ name }) => name === 'COPY')
      .map(({ flags, words }) => {
        const from = flags.get('from');
        const source = words.slice(0, -1).join(' ');
        return [words.at(-1) ?? '', from === undefined ? source : `${from}:${source}`];
      }),
  );
}

function configOf(stage: Stage, flags: readonly string[] = ['--allow-anonymous']) {
  return readConfig(variablesOf(stage), flags);
}

function labelOf(name: string): string {
  return `org.opencontainers.image.${name}`;
}
