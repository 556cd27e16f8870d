import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { z } from 'zod';
import type { Config } from '../../src/config/options.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { RepricerError } from '../../src/errors.ts';
import { createBackplane } from '../../src/ops/backplane.ts';
import { Health } from '../../src/ops/health.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { parseDockerfile } from '../image/dockerfile.ts';
import { createRecordingLog } from '../ops/recording-log.ts';
import { unknownReadings } from '../ops/samples.ts';
import { lackOf } from '../support/needs.ts';
import { projectRoot } from '../support/project-root.ts';
import { testUnless } from '../support/test-unless.ts';
import { type Installation, parseInstallation, UnfitManifests } from './installation.ts';
import { type ManifestFile, readManifestFiles, render } from './manifest-files.ts';

const testWithKubectl = testUnless(lackOf('kubectl'));

/** What Premium SSD of this size promises to read or write at any time, in MiB/s. */
const diskMebibytesPerSecond = 50;

/** What must hold from one manifest to the other. */
interface Rule {
  readonly title: string;
  readonly isKept: (installation: Installation) => boolean;
  /** Changes to the files, of which each alone breaks the rule. */
  readonly planted: readonly (readonly [path: string, good: string, bad: string])[];
}

const setFile = 'base/stateful-set.yaml';
const jobFile = 'overlays/production/snapshots/cron-job.yaml';
const accessFile = 'cluster/snapshot-access.yaml';
const claimFile = 'overlays/production/volume-claim.yaml';
const policyFile = 'base/network-policy.yaml';

/** Kept by whatever `parseInstallation` takes. */
const bySchema = () => true;

const rules: readonly Rule[] = [
  {
    title: 'there is one pod and can never be two',
    isKept: bySchema,
    planted: [
      [setFile, 'replicas: 1', 'replicas: 2'],
      [setFile, 'kind: StatefulSet', 'kind: Deployment'],
      [setFile, 'podManagementPolicy: Parallel', ''],
      [claimFile, 'ReadWriteOncePod', 'ReadWriteOnce'],
      [jobFile, 'kind: CronJob', 'kind: Deployment'],
    ],
  },
  {
    title: 'the disk outlives its claim, is cached by no host and can grow',
    isKept: bySchema,
    planted: [
      ['cluster/storage-class.yaml', 'reclaimPolicy: Retain', 'reclaimPolicy: Delete'],
      ['cluster/storage-class.yaml', 'cachingMode: None', 'cachingMode: ReadOnly'],
      ['cluster/storage-class.yaml', '  cachingMode: None\n', ''],
      ['cluster/storage-class.yaml', 'allowVolumeExpansion: true', 'allowVolumeExpansion: false'],
    ],
  },
  {
    title: 'no pod has more rights than it needs',
    isKept: bySchema,
    planted: [
      [setFile, 'enableServiceLinks: false', 'enableServiceLinks: true'],
      [setFile, 'automountServiceAccountToken: false', 'automountServiceAccountToken: true'],
      [setFile, 'runAsUser: 65532', 'runAsUser: 0'],
      [setFile, 'runAsNonRoot: true', ''],
      [setFile, '        seccompProfile:\n          type: RuntimeDefault\n', ''],
      [setFile, 'fsGroupChangePolicy: OnRootMismatch', 'fsGroupChangePolicy: Always'],
      [setFile, 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false'],
      [setFile, 'allowPrivilegeEscalation: false', ''],
      [setFile, '- ALL', '- NET_RAW'],
      [setFile, '              drop:', '              add: [SYS_ADMIN]\n              drop:'],
      [jobFile, '- ALL', '- NET_RAW'],
      [jobFile, 'runAsNonRoot: true', ''],
    ],
  },
  {
    title: 'memory is limited and the processor is not',
    isKept: bySchema,
    planted: [
      [setFile, '            limits:\n              memory: 2Gi\n', ''],
      [setFile, 'memory: 2Gi', 'memory: 2Gi\n              cpu: 1'],
    ],
  },
  {
    title: 'the arguments are a command of the program and flags that it knows',
    isKept: ({ statefulSet }) => {
      const [container] = statefulSet.spec.template.spec.containers;
      return container.args[0] === 'serve' && configOf({ statefulSet }) !== undefined;
    },
    planted: [
      [setFile, '--host=', '--hosts='],
      [setFile, '- serve', '- verify'],
      [setFile, '--shutdown-timeout-ms=30000', '--shutdown-timeout-ms=30s'],
      [
        setFile,
        '          env:\n',
        '          env:\n            - name: REPRICER_HOSTS\n              value: a\n',
      ],
    ],
  },
  {
    title: 'the service can be reached from outside of its pod, on the ports that are published',
    isKept: ({ statefulSet, service }) => {
      const config = configOf({ statefulSet });
      const [target] = service.spec.ports;
      return (
        config?.host === '0.0.0.0' &&
        config.port === portOf({ statefulSet }, 'http') &&
        config.backplanePort === portOf({ statefulSet }, 'backplane') &&
        service.spec.ports.length === 1 &&
        target?.targetPort === 'http' &&
        statefulSet.spec.serviceName === service.metadata.name
      );
    },
    planted: [
      [setFile, '0.0.0.0', '127.0.0.1'],
      [setFile, '            - --host=0.0.0.0\n', ''],
      [setFile, 'containerPort: 8080', 'containerPort: 8081'],
      [setFile, 'containerPort: 9102', 'containerPort: 9103'],
      ['base/service.yaml', 'targetPort: http', 'targetPort: backplane'],
      [setFile, 'serviceName: repricer', 'serviceName: prices'],
    ],
  },
  {
    title: 'a stop may take its whole deadline before it is killed',
    isKept: ({ statefulSet }) => {
      const { terminationGracePeriodSeconds: grace, containers } = statefulSet.spec.template.spec;
      const stopMs = configOf({ statefulSet })?.shutdownTimeoutMs ?? Number.POSITIVE_INFINITY;
      // Storage that hangs is given a second, and the last log lines two.
      return grace >= containers[0].lifecycle.preStop.sleep.seconds + stopMs / 1000 + 5;
    },
    planted: [
      [setFile, 'terminationGracePeriodSeconds: 45', 'terminationGracePeriodSeconds: 30'],
      [setFile, 'seconds: 5', 'seconds: 15'],
      [setFile, '--shutdown-timeout-ms=30000', '--shutdown-timeout-ms=60000'],
    ],
  },
  {
    title:
      'probes ask the backplane: whether it is alive to go on, and whether it is ready to serve',
    isKept: ({ statefulSet }) => {
      const [container] = statefulSet.spec.template.spec.containers;
      const { startupProbe, readinessProbe, livenessProbe } = container;
      return (
        livenessProbe.httpGet.path === '/healthz/alive' &&
        readinessProbe.httpGet.path === '/healthz/ready' &&
        startupProbe.httpGet.path === '/healthz/ready' &&
        [startupProbe, readinessProbe, livenessProbe].every(
          ({ httpGet }) => httpGet.port === 'backplane',
        )
      );
    },
    planted: [
      [setFile, 'path: /healthz/alive', 'path: /healthz/ready'],
      [
        setFile,
        'port: backplane\n            periodSeconds: 5',
        'port: http\n            periodSeconds: 5',
      ],
    ],
  },
  {
    title: 'a start may read half of the disk and write the other half before it is given up',
    isKept: ({ statefulSet, volumeClaim }) => {
      const { startupProbe } = statefulSet.spec.template.spec.containers[0];
      const mebibytes = 1024 * gibibytes(volumeClaim.spec.resources.requests.storage);
      return (
        startupProbe.periodSeconds * startupProbe.failureThreshold >=
        mebibytes / diskMebibytesPerSecond
      );
    },
    planted: [
      [setFile, 'failureThreshold: 1800', 'failureThreshold: 150'],
      [claimFile, 'storage: 64Gi', 'storage: 640Gi'],
    ],
  },
  {
    title: 'only the data directory can be written, and it is the claim',
    isKept: ({ statefulSet, volumeClaim }) => {
      const { containers, volumes } = statefulSet.spec.template.spec;
      const writable = containers[0].volumeMounts.filter(({ readOnly }) => !readOnly);
      const [data] = writable;
      const volume = volumes.find(({ name }) => name === data?.name);
      return (
        writable.length === 1 &&
        data?.mountPath === configOf({ statefulSet })?.dataDir &&
        isClaimOf(volume, volumeClaim.metadata.name)
      );
    },
    planted: [
      [setFile, '--data-dir=/data', '--data-dir=/date'],
      [
        setFile,
        '              mountPath: /etc/repricer/tokens\n              readOnly: true',
        '              mountPath: /etc/repricer/tokens',
      ],
      [setFile, 'claimName: repricer-data', 'claimName: repricer'],
      [claimFile, 'name: repricer-data', 'name: repricer'],
    ],
  },
  {
    title: 'clients need a token, from the secret that is mounted, which must be there',
    isKept: ({ statefulSet }) => {
      const { containers, volumes } = statefulSet.spec.template.spec;
      const file = configOf({ statefulSet })?.tokensFile ?? '';
      const mount = containers[0].volumeMounts.find(({ mountPath }) => mountPath === dirname(file));
      const volume = volumes.find(({ name }) => name === mount?.name);
      return (
        basename(file) === 'tokens.json' &&
        JSON.stringify(volume?.['secret']) ===
          JSON.stringify({ secretName: 'repricer-tokens', defaultMode: 0o440 })
      );
    },
    planted: [
      [setFile, 'value: /etc/repricer/tokens/tokens.json', 'value: /etc/repricer/tokens.json'],
      [setFile, 'REPRICER_TOKENS_FILE', 'REPRICER_TOKEN_FILE'],
      [
        setFile,
        'name: REPRICER_TOKENS_FILE\n              value: /etc/repricer/tokens/tokens.json',
        'name: REPRICER_ALLOW_ANONYMOUS\n              value: "true"',
      ],
      [
        setFile,
        'secretName: repricer-tokens',
        'secretName: repricer-tokens\n            optional: true',
      ],
      [setFile, 'defaultMode: 288', 'defaultMode: 292'],
      // A file that is mounted so is never changed.
      [
        setFile,
        '              mountPath: /etc/repricer/tokens',
        '              subPath: tokens.json\n              mountPath: /etc/repricer/tokens',
      ],
    ],
  },
  {
    title: 'every volume that is mounted is there, and every one that is there is mounted',
    isKept: ({ statefulSet, cronJob }) =>
      [statefulSet.spec.template.spec, cronJob.spec.jobTemplate.spec.template.spec].every(
        ({ containers, volumes }) =>
          isSame(
            containers[0].volumeMounts.map(({ name }) => name),
            volumes.map(({ name }) => name),
          ),
      ),
    planted: [
      [setFile, '            - name: tokens\n', '            - name: token\n'],
      [
        jobFile,
        '            - name: snapshots\n              configMap',
        '            - name: scripts\n              configMap',
      ],
    ],
  },
  {
    title:
      'the claim is of our own storage class, and snapshots are of that claim and our own class',
    isKept: ({ volumeClaim, storageClass, snapshotClass, cronJob }) => {
      const { env } = cronJob.spec.jobTemplate.spec.template.spec.containers[0];
      const variable = (name: string) => env.find((one) => one.name === name)?.value;
      return (
        volumeClaim.spec.storageClassName === storageClass.metadata.name &&
        variable('SNAPSHOT_CLAIM') === volumeClaim.metadata.name &&
        variable('SNAPSHOT_CLASS') === snapshotClass.metadata.name &&
        // More are refused: 500 of a disk, and some may be asked for by hand.
        Number(variable('SNAPSHOTS_KEPT')) <= 400
      );
    },
    planted: [
      ['cluster/storage-class.yaml', 'name: repricer-data', 'name: repricer'],
      ['cluster/volume-snapshot-class.yaml', 'name: repricer-data', 'name: repricer'],
      [claimFile, 'storageClassName: repricer-data', 'storageClassName: managed-csi-premium'],
      [
        jobFile,
        'name: SNAPSHOT_CLAIM\n                  value: repricer-data',
        'name: SNAPSHOT_CLAIM\n                  value: data',
      ],
      [jobFile, 'value: "72"', 'value: "720"'],
    ],
  },
  {
    title:
      'everything that selects the pod selects it by its label, and nothing selects that of the snapshots',
    isKept: ({ statefulSet, cronJob, service, networkPolicy, podDisruptionBudget }) => {
      const { labels } = statefulSet.spec.template.metadata;
      const jobLabels = cronJob.spec.jobTemplate.spec.template.metadata.labels;
      return [
        statefulSet.spec.selector.matchLabels,
        service.spec.selector,
        networkPolicy.spec.podSelector.matchLabels,
        podDisruptionBudget.spec.selector.matchLabels,
      ].every((selector) => selects(selector, labels) && !selects(selector, jobLabels));
    },
    planted: [
      [
        setFile,
        '      labels:\n        app.kubernetes.io/name: repricer',
        '      labels:\n        app.kubernetes.io/name: prices',
      ],
      ['base/service.yaml', 'app.kubernetes.io/name: repricer', 'app: repricer'],
      [policyFile, 'app.kubernetes.io/name: repricer', 'app: repricer'],
      ['base/pod-disruption-budget.yaml', 'app.kubernetes.io/name: repricer', 'app: repricer'],
      [jobFile, 'app.kubernetes.io/name: repricer-snapshots', 'app.kubernetes.io/name: repricer'],
    ],
  },
  {
    title: 'clients reach the API alone, monitoring the backplane alone, and the pod nobody',
    isKept: ({ networkPolicy }) =>
      JSON.stringify(
        networkPolicy.spec.ingress.map(({ from, ports }) => [
          from[0].namespaceSelector.matchLabels,
          ports[0].port,
        ]),
      ) ===
      JSON.stringify([
        [{ 'repricer-client': 'true' }, 'http'],
        [{ 'kubernetes.io/metadata.name': 'monitoring' }, 'backplane'],
      ]),
    planted: [
      [policyFile, '- port: http', '- port: backplane'],
      [policyFile, '    - Egress\n', ''],
      [policyFile, '  egress: []', '  egress: [{}]'],
      [policyFile, '  ingress:\n', '  ingress:\n    - ports: [{port: http}]\n'],
      [policyFile, 'kubernetes.io/metadata.name: monitoring', 'team: any'],
    ],
  },
  {
    title: 'the schedule may make and remove snapshots, and nothing else',
    isKept: ({ cronJob, serviceAccount, role, roleBinding }) => {
      const { serviceAccountName } = cronJob.spec.jobTemplate.spec.template.spec;
      return (
        serviceAccountName === serviceAccount.metadata.name &&
        serviceAccountName === roleBinding.subjects[0].name &&
        roleBinding.roleRef.name === role.metadata.name
      );
    },
    planted: [
      [accessFile, '- delete', '- "*"'],
      [accessFile, '      - volumesnapshots', '      - volumesnapshots\n      - secrets'],
      [accessFile, 'kind: RoleBinding', 'kind: ClusterRoleBinding'],
      [accessFile, '    name: repricer-snapshots', '    name: default'],
      [jobFile, 'serviceAccountName: repricer-snapshots', 'serviceAccountName: default'],
    ],
  },
  {
    title: 'metrics are looked for where they are',
    isKept: ({ statefulSet }) => {
      const { annotations } = statefulSet.spec.template.metadata;
      return (
        annotations['prometheus.io/scrape'] === 'true' &&
        annotations['prometheus.io/path'] === '/metrics' &&
        annotations['prometheus.io/port'] === String(portOf({ statefulSet }, 'backplane'))
      );
    },
    planted: [
      [setFile, 'prometheus.io/port: "9102"', 'prometheus.io/port: "8080"'],
      [setFile, 'prometheus.io/path: /metrics', 'prometheus.io/path: /'],
    ],
  },
  {
    title: 'every image is the one that the deployment puts in',
    isKept: ({ statefulSet, cronJob }) =>
      statefulSet.spec.template.spec.containers[0].image === 'repricer' &&
      cronJob.spec.jobTemplate.spec.template.spec.containers[0].image === 'repricer',
    planted: [
      [setFile, 'image: repricer', 'image: repricer:latest'],
      [jobFile, 'image: repricer', 'image: kubectl'],
    ],
  },
];

for (const { title, isKept, planted } of rules) {
  test(`in the manifests, ${title}`, async (t) => {
    const files = await readManifestFiles();

    const installation = parseInstallation(files);

    t.true(isKept(installation));
  });

  test(`the check that ${title} finds what breaks it`, async (t) => {
    const files = await readManifestFiles();

    for (const [path, good, bad] of planted) {
      const changed = change(files, path, good, bad);
      t.true(
        isBroken(() => isKept(parseInstallation(changed))),
        `${path}: ${good} → ${bad}`,
      );
    }
  });
}

test('what is probed and scraped is on the backplane', async (t) => {
  const { statefulSet } = parseInstallation(await readManifestFiles());
  const { metadata, spec } = statefulSet.spec.template;
  const { startupProbe, readinessProbe, livenessProbe } = spec.containers[0];
  const probed = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path);
  const backplane = createServer(
    createBackplane({
      health: new Health(),
      metrics: new Metrics(() => unknownReadings),
      log: createRecordingLog(),
    }).callback(),
  );
  t.teardown(() => backplane.close());
  await once(backplane.listen(0, '127.0.0.1'), 'listening');
  const address = backplane.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const statusOf = async (path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).status;

  for (const path of [...probed, metadata.annotations['prometheus.io/path'] ?? '']) {
    t.is(await statusOf(path), 200, path);
  }
  t.is(await statusOf('/healthz/live'), 404);
});

test('the schedule runs a file that is there with the Node.js of the image', async (t) => {
  const { cronJob } = parseInstallation(await readManifestFiles());
  const [{ command, volumeMounts }] = cronJob.spec.jobTemplate.spec.template.spec.containers;
  const root = await projectRoot();
  const image = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8')).at(-1);
  const entryPoint = image?.instructions.find(({ name }) => name === 'ENTRYPOINT')?.exec;

  const [node, file = '', ...others] = command;

  t.deepEqual([node, ...others], entryPoint?.slice(0, 1));
  t.deepEqual(
    [dirname(file)],
    volumeMounts.map(({ mountPath }) => mountPath),
  );
  const scripts = join(root, 'manifests', dirname(jobFile));
  await t.notThrowsAsync(access(join(scripts, basename(file))));
  t.regex(
    await readFile(join(scripts, 'kustomization.yaml'), 'utf8'),
    new RegExp(`- ${basename(file)}\n`),
  );
});

testWithKubectl(
  'the review app has the same pod with its data inside and open to everyone, and brings no disk, schedule or class',
  async (t) => {
    const documents = await render('manifests/overlays/review');
    const production = await render('manifests/overlays/production');

    const review = podOf(documents);
    const kinds = documents.map((document) => kinded.parse(document).kind).sort();

    t.deepEqual(kinds, [
      ...['Namespace', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'StatefulSet'],
    ]);
    t.deepEqual(review.volumes, [{ name: 'data', emptyDir: { sizeLimit: '4Gi' } }]);
    t.deepEqual(review.containers[0]?.['env'], [
      { name: 'REPRICER_ALLOW_ANONYMOUS', value: 'true' },
      { name: 'REPRICER_ENVIRONMENT', value: 'review' },
    ]);
    t.deepEqual(withoutSizeAndAccess(review), withoutSizeAndAccess(podOf(production)));
  },
);

const kinded = z.looseObject({ kind: z.string() });
const anyPod = z.looseObject({
  volumes: z.array(z.looseObject({ name: z.string() })),
  containers: z.array(
    z.looseObject({
      name: z.string(),
      volumeMounts: z.array(z.looseObject({ name: z.string() })),
    }),
  ),
});
const anySet = z.object({ spec: z.object({ template: z.object({ spec: anyPod }) }) });

function podOf(documents: readonly unknown[]): z.infer<typeof anyPod> {
  const set = documents.find((document) => kinded.parse(document).kind === 'StatefulSet');
  return anySet.parse(set).spec.template.spec;
}

/** A pod without its disk, its share of the machine, and what says who may use it. */
function withoutSizeAndAccess(pod: z.infer<typeof anyPod>): unknown {
  return {
    ...pod,
    volumes: undefined,
    containers: pod.containers.map(({ volumeMounts, env, resources, ...container }) => ({
      ...container,
      volumeMounts: volumeMounts.filter(({ name }) => name !== 'tokens'),
    })),
  };
}

function change(
  files: readonly ManifestFile[],
  path: string,
  good: string,
  bad: string,
): readonly ManifestFile[] {
  const changed = files.map((file) =>
    file.path === path ? { path, text: file.text.replace(good, bad) } : file,
  );
  assert.notDeepEqual(changed, files, `${path} does not have ${good}`);
  return changed;
}

/** Whether a rule is not kept, or a manifest already is not what it must be. */
function isBroken(isKept: () => boolean): boolean {
  try {
    return !isKept();
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof UnfitManifests) return true;
    throw error;
  }
}

/** The config that the pod's arguments and variables give; undefined when they break a rule. */
function configOf({ statefulSet }: Pick<Installation, 'statefulSet'>): Config | undefined {
  const [{ args, env }] = statefulSet.spec.template.spec.containers;
  const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  try {
    return readConfig(variables, args.slice(1));
  } catch (error) {
    if (error instanceof RepricerError) return undefined;
    throw error;
  }
}

function portOf({ statefulSet }: Pick<Installation, 'statefulSet'>, name: string) {
  const [{ ports }] = statefulSet.spec.template.spec.containers;
  return ports.find((port) => port.name === name)?.containerPort;
}

function isClaimOf(volume: Readonly<Record<string, unknown>> | undefined, name: string): boolean {
  return JSON.stringify(volume?.['persistentVolumeClaim']) === JSON.stringify({ claimName: name });
}

function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify([...some].sort()) === JSON.stringify([...others].sort());
}

function gibibytes(quantity: string): number {
  return Number(/^(\d+)Gi$/.exec(quantity)?.[1]);
}
