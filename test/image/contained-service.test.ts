import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { encodeTokenList, type TokenEntry } from '../../src/access/token-list.ts';
import { parseInstallation } from '../manifests/installation.ts';
import { readManifestFiles } from '../manifests/manifest-files.ts';
import { ChildService } from '../support/child-service.ts';
import { lackOf } from '../support/needs.ts';
import { projectRoot } from '../support/project-root.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testUnless } from '../support/test-unless.ts';
import { bearer, entry } from '../support/tokens.ts';
import { parseDockerfile, variablesOf } from './dockerfile.ts';
import { makeImageTree } from './image-tree.ts';

/*
 * What the image and the manifests take for granted of the program, shown without a container engine: the
 * files of the image on a read-only root, the entry point and variables of the Dockerfile, the arguments of
 * the manifest, and a process without a name or a right, to which only the data directory belongs.
 */

const nobody = 65532;

/** Names a Node.js 24, for machines whose own is another. */
const node = process.env['IMAGE_NODE'] ?? process.execPath;

const testInNamespaces = testUnless(lackOf('linux') ?? lackOf('mounts'));

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

/** A directory as Kubernetes mounts a secret: its group may read, and each version is behind a link that is moved. */
async function makeSecret(t: ExecutionContext) {
  const directory = await temporaryDirectory(t);
  await chmod(directory, 0o755);
  let versions = 0;
  const hold = async (...entries: readonly TokenEntry[]) => {
    versions += 1;
    const version = `..version-${versions}`;
    await mkdir(join(directory, version));
    await chmod(join(directory, version), 0o755);
    const file = join(directory, version, 'tokens.json');
    await writeFile(file, encodeTokenList(entries), { mode: 0o440 });
    await chown(file, 0, nobody);
    await symlink(version, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  };
  await hold(entry('crawler', ['read', 'reprice']));
  await symlink(join('..data', 'tokens.json'), join(directory, 'tokens.json'));
  return { directory, hold };
}

interface LaunchOptions {
  readonly flags?: readonly string[];
  readonly mount?: 'ro' | 'rw';
  /** The mounted secret. */
  readonly tokens?: string;
}

/** The service as the image starts it with the arguments and variables of the manifest, on any free ports. */
async function launch(
  t: ExecutionContext,
  volume: string,
  { flags = [], mount = 'rw', tokens }: LaunchOptions = {},
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
  const variables = image === undefined ? {} : variablesOf(image);
  t.is(variables['REPRICER_DATA_DIR'], '/data');
  const contain = join(root, 'test/image/contain.sh');
  const places = [
    ...[await temporaryDirectory(t), app, node, volume],
    tokens ?? (await makeSecret(t)).directory,
  ];
  const { args, env } = await manifestContainer();
  await chmod(app, 0o755);
  return ChildService.launch(t, volume, [...args.slice(1), ...flags], {
    wrapper: ['unshare', '--mount', 'sh', contain, ...places],
    env: {
      DATA_MOUNT: mount,
      IMAGE_ENTRYPOINT: find('ENTRYPOINT')?.exec?.join(' ') ?? '',
      IMAGE_ENV: [...Object.entries(variables), ...env.map(({ name, value }) => [name, value])]
        .map((pair) => pair.join('='))
        .join(' '),
    },
  });
}

async function manifestContainer() {
  const { statefulSet } = parseInstallation(await readManifestFiles());
  return statefulSet.spec.template.spec.containers[0];
}

function ask(service: ChildService, method: string, path: string, body?: string) {
  return service.send(method, path, body, bearer('crawler'));
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

testInNamespaces(
  'as in its container the service has no rights, writes to its volume alone, and serves, stops cleanly and starts again',
  async (t) => {
    const volume = await makeVolume(t);

    const first = await launch(t, volume);
    await first.ready();
    const status = await statusOf(first.pid);
    const mounts = await writableMountsOf(first.pid);
    const written = await ask(first, 'POST', '/api/reprice', '{"productId":"foo","price":3.50}');
    const read = await ask(first, 'GET', '/api/product/foo/price');
    const end = await first.kill('SIGTERM');
    const second = await launch(t, volume);
    await second.ready();
    const readAgain = await ask(second, 'GET', '/api/record/1');
    const secondEnd = await second.kill('SIGTERM');

    t.is(status.get('Uid'), `${nobody}`);
    t.is(status.get('NoNewPrivs'), '1');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      t.is(status.get(set), '0000000000000000', set);
    }
    t.deepEqual(mounts, ['/data']);
    t.is(written.status, 202);
    t.like(JSON.parse(read.body), { price: 3.5, version: 1 });
    t.like(JSON.parse(readAgain.body), { productId: 'foo', newPrice: 3.5, actor: 'crawler' });
    t.deepEqual([end.code, secondEnd.code], [0, 0]);
    t.is((await stat(join(volume, 'results'))).uid, nobody);
    t.is((await checkCleanStore(t, volume)).records, 1);
  },
);

testInNamespaces(
  'in its container the service reads the mounted secret, and each new version of it',
  async (t) => {
    const secret = await makeSecret(t);
    const service = await launch(t, await makeVolume(t), { tokens: secret.directory });
    await service.ready();

    const before = await ask(service, 'GET', '/api/query');
    await secret.hold(entry('other', ['read']));
    await service.logLine('the tokens were read again');
    const after = await ask(service, 'GET', '/api/query');
    await service.kill('SIGTERM');

    t.deepEqual([before.status, after.status], [200, 401]);
  },
);

testInNamespaces(
  'in its container the service cannot write anywhere else, and says so with 74',
  async (t) => {
    const elsewhere = await launch(t, await makeVolume(t), { flags: ['--data-dir=/app/data'] });
    const readOnly = await launch(t, await makeVolume(t), { mount: 'ro' });

    t.is((await elsewhere.exited).code, 74);
    t.is((await readOnly.exited).code, 74);
  },
);
