import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lackOf } from '../crash/needs.ts';
import { parseInstallation } from '../manifests/installation.ts';
import { isKustomization, parseYaml, readManifestFiles } from '../manifests/manifest-files.ts';
import { ChildService } from '../support/child-service.ts';
import { projectRoot } from '../support/project-root.ts';
import { skip } from '../support/skip.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { pairsOf, parseDockerfile } from './dockerfile.ts';
import { makeImageTree } from './image-tree.ts';

/*
 * What the image and the manifests take for granted of the program, shown without a container engine: the
 * files of the image on a read-only root, the entry point and variables of the Dockerfile, the arguments of
 * the manifest, and a process without a name or a right, to which only the data directory belongs.
 */

const nobody = 65532;

/** Names a Node.js 24, for machines whose own is another. */
const node = process.env['IMAGE_NODE'] ?? process.execPath;

/** Why none of this can be shown here; undefined when it can. */
const lack = lackOf('mounts') ?? (process.platform === 'linux' ? undefined : 'needs Linux');

function versionOf(program: string): string {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

/** A volume as Kubernetes hands it to a pod with an fsGroup: root's, but the group may write. */
async function makeVolume(t: ExecutionContext): Promise<string> {
  const volume = join(await temporaryDirectory(t), 'volume');
  await mkdir(join(volume, 'lost+found'), { recursive: true });
  await chmod(join(volume, 'lost+found'), 0o700);
  await chown(volume, 0, nobody);
  await chmod(volume, 0o2775);
  return volume;
}

/** The service as the image starts it with the arguments of the manifest, on any free ports. */
async function launch(
  t: ExecutionContext,
  volume: string,
  { flags = [], mount = 'rw' }: { flags?: readonly string[]; mount?: 'ro' | 'rw' } = {},
): Promise<ChildService> {
  const version = versionOf(node);
  if (!version.startsWith('v24.')) {
    t.log(`SKIPPED with the Node.js of the image: IMAGE_NODE names none, and this is ${version}`);
  }
  const root = await projectRoot();
  const app = await temporaryDirectory(t);
  await makeImageTree(app);
  const image = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8')).at(-1);
  const find = (name: string) => image?.instructions.find((one) => one.name === name);
  const variables = find('ENV');
  t.truthy(variables);
  const contain = join(root, 'test/image/contain.sh');
  const places = [await temporaryDirectory(t), app, node, volume];
  await chmod(app, 0o755);
  return ChildService.launch(t, volume, [...(await manifestFlags()), ...flags], {
    wrapper: ['unshare', '--mount', 'sh', contain, ...places],
    env: {
      DATA_MOUNT: mount,
      IMAGE_ENTRYPOINT: find('ENTRYPOINT')?.exec?.join(' ') ?? '',
      IMAGE_ENV: Object.entries(variables === undefined ? {} : pairsOf(variables))
        .map((pair) => pair.join('='))
        .join(' '),
    },
  });
}

async function manifestFlags(): Promise<readonly string[]> {
  const files = (await readManifestFiles()).filter((file) => !isKustomization(file));
  const documents = files
    .filter(({ path }) => !path.startsWith('overlays/review/'))
    .flatMap(({ text }) => parseYaml(text));
  const { statefulSet } = parseInstallation(documents);
  return statefulSet.spec.template.spec.containers[0].args.slice(1);
}

/** The fields of a process in /proc, by name. */
async function statusOf(pid: number): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return new Map(
    text.split('\n').map((line) => [line.split(':')[0] ?? '', line.split('\t')[1] ?? '']),
  );
}

/** Where the process could write, devices apart. */
async function writableMountsOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/mountinfo`, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , , , options = '']) => !options.split(',').includes('ro'))
    .map(([, , , , place = '']) => place)
    .filter((place) => !place.startsWith('/dev/'));
}

test('as in its container the service has no rights, writes to its volume alone, and serves, stops cleanly and starts again', async (t) => {
  if (lack !== undefined) return skip(t, lack);
  const volume = await makeVolume(t);

  const first = await launch(t, volume);
  await first.ready();
  const status = await statusOf(first.pid);
  const mounts = await writableMountsOf(first.pid);
  const written = await first.reprice('foo', '3.50');
  const read = await first.get('/api/product/foo/price');
  const end = await first.kill('SIGTERM');
  const second = await launch(t, volume);
  await second.ready();
  const readAgain = await second.get('/api/record/1');
  const secondEnd = await second.kill('SIGTERM');

  t.is(status.get('Uid'), `${nobody}`);
  t.is(status.get('NoNewPrivs'), '1');
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    t.is(status.get(set), '0000000000000000', set);
  }
  t.deepEqual(mounts, ['/data']);
  t.is(written.status, 202);
  t.like(JSON.parse(read.body), { price: 3.5, version: 1 });
  t.like(JSON.parse(readAgain.body), { productId: 'foo', newPrice: 3.5 });
  t.deepEqual([end.code, secondEnd.code], [0, 0]);
  t.is((await stat(join(volume, 'results'))).uid, nobody);
  t.is((await checkCleanStore(t, volume)).records, 1);
});

test('in its container the service cannot write anywhere else, and says so with 74', async (t) => {
  if (lack !== undefined) return skip(t, lack);

  const elsewhere = await launch(t, await makeVolume(t), { flags: ['--data-dir=/app/data'] });
  const readOnly = await launch(t, await makeVolume(t), { mount: 'ro' });

  t.is((await elsewhere.exited).code, 74);
  t.is((await readOnly.exited).code, 74);
});
