import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { ChildService } from '../support/child-service.ts';
import { projectRoot } from '../support/project-root.ts';
import { skip } from '../support/skip.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { parseYaml, render } from './manifest-files.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const image = `registry.test/repricer@${digest}`;

const placed = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** Runs a command of `manifests/` to its end. */
async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(join(await projectRoot(), 'manifests', command), args, { env });
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, output, errors };
}

/**
 * A `kubectl` that keeps what would be applied, says of a roll-out what it is told to, and forwards to a
 * service; its calls are in `calls`, one in a line.
 */
async function makeKubectl(t: ExecutionContext, { port = 0, rollout = 'true' }) {
  const directory = await temporaryDirectory(t);
  const real = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((path) => join(path, 'kubectl'))
    .join(' ');
  const script = `#!/bin/sh
printf '%s\\n' "$*" >> "${directory}/calls"
case $1 in
  apply)
    for kubectl in ${real}; do
      [ -x "$kubectl" ] && exec "$kubectl" kustomize "$3" > "${directory}/applied.yaml"
    done ;;
  rollout) ${rollout} ;;
  port-forward)
    echo "Forwarding from 127.0.0.1:${port} -> 8080"
    exec sleep 60 ;;
  get) cat "${directory}/namespaces" ;;
esac
`;
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin/kubectl'), script, { mode: 0o755 });
  return {
    directory,
    env: { ...process.env, PATH: `${join(directory, 'bin')}${delimiter}${process.env['PATH']}` },
    calls: async () => (await readFile(join(directory, 'calls'), 'utf8')).trim().split('\n'),
  };
}

test('the smoke test writes a price and reads it back', async (t) => {
  const directory = await temporaryDirectory(t);
  const service = await ChildService.start(t, directory);

  const { code, output } = await run('smoke', [`http://127.0.0.1:${service.port}`]);
  const price = await service.get('/api/product/smoke-test/price');
  await service.kill('SIGTERM');

  t.is(code, 0);
  t.is(output, 'smoke: seq 1 was written and read back\n');
  t.like(JSON.parse(price.body), { productId: 'smoke-test', version: 1 });
  t.is((await checkCleanStore(t, directory)).records, 1);
});

test('the smoke test fails for a service that acknowledges what it then does not have', async (t) => {
  const liar = createServer(async (request, response) => {
    const { price } = z
      .object({ price: z.number().default(1) })
      .parse(JSON.parse((await text(request)) || '{}'));
    response.end(`{"seq":1,"newPrice":${price},"price":1,`);
  });
  t.teardown(() => liar.close());
  await once(liar.listen(0, '127.0.0.1'), 'listening');
  const address = liar.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  const { code, errors } = await run('smoke', [`http://127.0.0.1:${port}`]);

  t.is(code, 1);
  t.regex(errors, /^smoke: expected "newPrice":[\d.]+, in /);
});

test('a deployment applies the image by its digest in its namespace, waits, and reprices through it', async (t) => {
  if ((await render('manifests/base')) === undefined) return skip(t, 'there is no kubectl');
  const service = await ChildService.start(t, await temporaryDirectory(t));
  const kubectl = await makeKubectl(t, { port: service.port });

  for (const [overlay, namespace] of [
    ['production', 'repricer'],
    ['review', 'repricer-pr-7'],
  ] as const) {
    const { code, errors } = await run('deploy', [overlay, namespace, image], kubectl.env);

    t.is(code, 0, errors);
    const applied = await readFile(join(kubectl.directory, 'applied.yaml'), 'utf8');
    const images = [...applied.matchAll(/ image: (.*)/g)].map(([, name]) => name);
    t.deepEqual([...new Set(images)], [image]);
    for (const document of parseYaml(applied)) {
      const { kind, metadata } = placed.parse(document);
      t.is(kind === 'Namespace' ? metadata.name : metadata.namespace, namespace, kind);
    }
  }
  const verbs = (await kubectl.calls()).map((call) => call.split(' ')[0]);
  t.deepEqual(verbs, [
    ...['apply', 'rollout', 'port-forward'],
    ...['apply', 'rollout', 'port-forward'],
  ]);
  t.like(JSON.parse((await service.get('/api/product/smoke-test/price')).body), { version: 2 });
});

test('a deployment that does not come up fails, shows why, and does not try to reprice', async (t) => {
  const kubectl = await makeKubectl(t, { rollout: 'exit 1' });

  const { code } = await run('deploy', ['production', 'repricer', image], kubectl.env);

  t.is(code, 1);
  const verbs = (await kubectl.calls()).map((call) => call.split(' ')[0]);
  t.deepEqual(verbs, ['apply', 'rollout', 'describe', 'logs']);
});

test('an image that is not named by its digest is not deployed', async (t) => {
  const kubectl = await makeKubectl(t, {});

  for (const name of ['repricer', 'repricer:1', 'repricer@sha256:12', `a b@${digest}`, '']) {
    const { code } = await run('deploy', ['production', 'repricer', name], kubectl.env);

    t.is(code, 64, name);
  }
  await t.throwsAsync(kubectl.calls(), { code: 'ENOENT' });
});

test('review apps older than a week are removed, and no others', async (t) => {
  if (process.platform !== 'linux') return skip(t, 'needs the date and xargs of Linux');
  const kubectl = await makeKubectl(t, {});
  const daysAgo = (days: number) =>
    new Date(Date.now() - days * 86_400_000).toISOString().replace(/\.\d+/, '');
  const namespaces = `${daysAgo(8)} repricer-pr-1\n${daysAgo(6)} repricer-pr-2\n`;
  await writeFile(join(kubectl.directory, 'namespaces'), namespaces);

  const { code, errors } = await run('sweep-reviews', [], kubectl.env);

  t.is(code, 0, errors);
  const [found, removed, ...others] = await kubectl.calls();
  t.true(found?.startsWith('get namespaces --selector repricer-review=true '));
  t.is(removed, 'delete namespace --wait=false repricer-pr-1');
  t.deepEqual(others, []);
});
