import test from 'ava';
import { z } from 'zod';
import { lackOf } from '../support/needs.ts';
import { testUnless } from '../support/test-unless.ts';
import {
  isForHands,
  isKustomization,
  type ManifestFile,
  parseYaml,
  readManifestFiles,
  render,
} from './manifest-files.ts';
import { typeErrorsIn } from './type-errors.ts';

const testWithKubectl = testUnless(lackOf('kubectl'));

const kustomizations = ['cluster', 'base', 'overlays/production', 'overlays/review'];

/** Mistakes in manifests that are otherwise good: the file, a text in it, and what stands there instead. */
const planted: readonly (readonly [path: string, good: string, bad: string])[] = [
  ['base/stateful-set.yaml', 'replicas:', 'replica:'],
  ['base/stateful-set.yaml', 'replicas: 1', 'replicas: "1"'],
  ['base/stateful-set.yaml', 'apps/v1', 'apps/v1beta9'],
  ['base/stateful-set.yaml', '  selector:\n    matchLabels:\n', '  labels:\n    matchLabels:\n'],
  ['base/stateful-set.yaml', 'readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
  ['base/stateful-set.yaml', 'type: RuntimeDefault', 'type: Default'],
  ['base/stateful-set.yaml', 'enableServiceLinks', 'enableServiceLink'],
  ['base/stateful-set.yaml', 'failureThreshold: 1800', 'failureTreshold: 1800'],
  ['base/stateful-set.yaml', '                seconds: 5', '                second: 5'],
  ['base/stateful-set.yaml', 'secretName: repricer', 'secret: repricer'],
  ['base/stateful-set.yaml', '            - name: data\n', '            - names: data\n'],
  ['base/network-policy.yaml', 'namespaceSelector', 'namespaceSelectors'],
  ['base/pod-disruption-budget.yaml', 'maxUnavailable', 'maxUnavailble'],
  ['base/service.yaml', 'targetPort', 'targetport'],
  ['overlays/production/volume-claim.yaml', 'storageClassName', 'storageClass'],
  ['overlays/production/snapshots/cron-job.yaml', 'timeZone', 'timezone'],
  ['restore/claim.yaml', 'dataSource:', 'datasource:'],
  ['restore/verify-job.yaml', 'backoffLimit', 'backOffLimit'],
  ['cluster/storage-class.yaml', 'allowVolumeExpansion: true', 'allowVolumeExpansion: "true"'],
  ['cluster/storage-class.yaml', 'WaitForFirstConsumer', 'WaitForFirstCustomer'],
  ['cluster/volume-snapshot-class.yaml', 'deletionPolicy: Delete', 'deletionPolicy: Remove'],
  ['cluster/volume-snapshot-class.yaml', 'deletionPolicy: Delete', ''],
];

/** What a kustomization may say: any other key is a misspelt one, or has to be thought about here. */
const kustomization = z.strictObject({
  namespace: z.string().optional(),
  resources: z.array(z.string()),
  labels: z.array(z.strictObject({ pairs: z.record(z.string(), z.string()) })).optional(),
  patches: z.array(z.strictObject({ path: z.string() })).optional(),
  configMapGenerator: z
    .array(z.strictObject({ name: z.string(), files: z.array(z.string()) }))
    .optional(),
});

/** Not a whole manifest: kustomize puts it into one, and the result is checked. */
function isPatch({ path }: ManifestFile): boolean {
  return /^overlays\/review\/(?:data-in-pod|for-everyone)\.yaml$/.test(path);
}

test('every manifest has the type that Kubernetes gives its kind, without a key that is unknown to it', async (t) => {
  const files = await readManifestFiles();
  const documents = files
    .filter((file) => !isKustomization(file) && !isPatch(file))
    .flatMap(({ text }) => parseYaml(text));

  const errors = await typeErrorsIn(t, documents);

  t.true(documents.length >= 12);
  t.deepEqual(errors.flat(), []);
});

test('that check finds each of the mistakes planted in good manifests', async (t) => {
  const files = await readManifestFiles();
  const broken = planted.flatMap(([path, good, bad]) => {
    const { text = '' } = files.find((file) => file.path === path) ?? {};
    t.true(text.includes(good), `${path} has ${good}`);
    return parseYaml(text.replace(good, bad));
  });

  const errors = await typeErrorsIn(t, broken);

  t.is(broken.length, planted.length);
  for (const [index, [path, , bad]] of planted.entries()) {
    t.not(errors[index]?.length, 0, `${path}: ${bad}`);
  }
});

test('every kustomization says only what is known, and no manifest is in none of them', async (t) => {
  const files = await readManifestFiles();

  const named = files.filter(isKustomization).flatMap(({ path, text }) => {
    const { resources, patches = [] } = kustomization.parse(parseYaml(text)[0]);
    const directory = path.replace(/kustomization\.yaml$/, '');
    return [...resources, ...patches.map((patch) => patch.path)].map((name) => directory + name);
  });

  const others = files
    .filter((file) => !isKustomization(file) && !isForHands(file))
    .map(({ path }) => path);
  t.deepEqual(
    others.filter((path) => !named.includes(path)),
    [],
  );
  t.false(kustomization.safeParse({ resources: [], patchs: [] }).success);
});

for (const name of kustomizations) {
  testWithKubectl(`what kubectl makes of manifests/${name} has these types too`, async (t) => {
    const documents = await render(`manifests/${name}`);

    const errors = await typeErrorsIn(t, documents);

    t.deepEqual(errors.flat(), []);
  });
}
