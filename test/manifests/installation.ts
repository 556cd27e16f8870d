import { z } from 'zod';
import { isForHands, isKustomization, type ManifestFile, parseYaml } from './manifest-files.ts';

/* What the rules ask of the manifests; what else stands there is the business of their types. */

const labels = z.record(z.string(), z.string());
const selector = z.object({ matchLabels: labels });
const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.string() }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});

const container = z.object({
  image: z.string(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.strictObject({ memory: z.string() }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(
    z.strictObject({
      name: z.string(),
      mountPath: z.string(),
      readOnly: z.boolean().default(false),
    }),
  ),
});

/** A pod as the strictest of the pod security standards wants it. */
const pod = z.object({
  enableServiceLinks: z.literal(false),
  hostNetwork: z.never().optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.literal(65532),
    runAsGroup: z.literal(65532),
    fsGroup: z.literal(65532),
    fsGroupChangePolicy: z.literal('OnRootMismatch').optional(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  containers: z.tuple([container]),
  volumes: z.array(z.looseObject({ name: z.string() })),
});

const statefulSet = z.object({
  kind: z.literal('StatefulSet'),
  spec: z.object({
    replicas: z.literal(1),
    podManagementPolicy: z.literal('Parallel'),
    serviceName: z.string(),
    selector,
    template: z.object({
      metadata: z.object({ labels, annotations: labels }),
      spec: pod.extend({
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.number(),
        securityContext: pod.shape.securityContext.required(),
        containers: z.tuple([
          container.extend({
            command: z.never().optional(),
            args: z.array(z.string()),
            ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
            startupProbe: probe,
            readinessProbe: probe,
            livenessProbe: probe,
            lifecycle: z.object({
              preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.number() }) }),
            }),
          }),
        ]),
      }),
    }),
  }),
});

const cronJob = z.object({
  kind: z.literal('CronJob'),
  spec: z.object({
    concurrencyPolicy: z.literal('Forbid'),
    jobTemplate: z.object({
      spec: z.object({
        activeDeadlineSeconds: z.number(),
        template: z.object({
          metadata: z.object({ labels }),
          spec: pod.extend({
            serviceAccountName: z.string(),
            containers: z.tuple([container.extend({ command: z.array(z.string()) })]),
          }),
        }),
      }),
    }),
  }),
});

const service = z.object({
  kind: z.literal('Service'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    selector: labels,
    ports: z.array(z.object({ port: z.number(), targetPort: z.string() })),
  }),
});

const networkPolicy = z.object({
  kind: z.literal('NetworkPolicy'),
  spec: z.object({
    podSelector: selector,
    policyTypes: z.tuple([z.literal('Ingress'), z.literal('Egress')]),
    egress: z.tuple([]),
    ingress: z.array(
      z.strictObject({
        from: z.tuple([z.strictObject({ namespaceSelector: selector })]),
        ports: z.tuple([z.strictObject({ port: z.string() })]),
      }),
    ),
  }),
});

const podDisruptionBudget = z.object({
  kind: z.literal('PodDisruptionBudget'),
  spec: z.strictObject({ maxUnavailable: z.literal(1), selector }),
});

const volumeClaim = z.object({
  kind: z.literal('PersistentVolumeClaim'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    accessModes: z.tuple([z.literal('ReadWriteOncePod')]),
    storageClassName: z.string(),
    resources: z.object({ requests: z.object({ storage: z.string() }) }),
  }),
});

const storageClass = z.object({
  kind: z.literal('StorageClass'),
  metadata: z.object({ name: z.string() }),
  provisioner: z.literal('disk.csi.azure.com'),
  parameters: z.strictObject({
    skuName: z.literal('Premium_ZRS'),
    cachingMode: z.literal('None'),
    fsType: z.literal('ext4'),
  }),
  reclaimPolicy: z.literal('Retain'),
  volumeBindingMode: z.literal('WaitForFirstConsumer'),
  allowVolumeExpansion: z.literal(true),
});

const snapshotClass = z.object({
  kind: z.literal('VolumeSnapshotClass'),
  metadata: z.object({ name: z.string() }),
  driver: z.literal('disk.csi.azure.com'),
});

const inNamespace = z.object({ name: z.string(), namespace: z.literal('repricer') });

const serviceAccount = z.object({ kind: z.literal('ServiceAccount'), metadata: inNamespace });

const role = z.object({
  kind: z.literal('Role'),
  metadata: inNamespace,
  rules: z.tuple([
    z.strictObject({
      apiGroups: z.tuple([z.literal('snapshot.storage.k8s.io')]),
      resources: z.tuple([z.literal('volumesnapshots')]),
      verbs: z.array(z.enum(['create', 'get', 'list', 'delete'])).length(4),
    }),
  ]),
});

const roleBinding = z.object({
  kind: z.literal('RoleBinding'),
  metadata: inNamespace,
  roleRef: z.object({ kind: z.literal('Role'), name: z.string() }),
  subjects: z.tuple([inNamespace.extend({ kind: z.literal('ServiceAccount') })]),
});

const schemas = {
  statefulSet,
  cronJob,
  service,
  networkPolicy,
  podDisruptionBudget,
  volumeClaim,
  storageClass,
  snapshotClass,
  serviceAccount,
  role,
  roleBinding,
};

/** The one object of each kind that there is. */
export type Installation = {
  readonly [Name in keyof typeof schemas]: z.infer<(typeof schemas)[Name]>;
};

/** Kinds beside those of an installation. */
const plainKinds = ['Namespace'];

const anyKind = z.looseObject({ kind: z.string() });

/** A part is twice there, or there is one that nobody thought of. */
export class UnfitManifests extends Error {
  override readonly name = 'UnfitManifests';
}

/**
 * Finds the parts of what is installed in production. Throws a ZodError when one is missing or not as it
 * must be, otherwise `UnfitManifests`.
 */
export function parseInstallation(files: readonly ManifestFile[]): Installation {
  const left = documentsOf(files).map((document) => anyKind.parse(document));
  const parts = Object.entries(schemas).map(([name, schema]) => {
    const kind = schema.shape.kind.value;
    const [found, ...others] = left.filter((document) => document.kind === kind);
    if (others.length > 0) throw new UnfitManifests(`more than one ${kind}`);
    return [name, schema.parse(found)];
  });
  const known = [...Object.values(schemas).map(({ shape }) => shape.kind.value), ...plainKinds];
  const strange = left.find(({ kind }) => !(known as readonly string[]).includes(kind));
  if (strange !== undefined) throw new UnfitManifests(`a ${strange.kind} was not thought of`);
  return Object.fromEntries(parts) as Installation;
}

/** The review app's patch is no document of its own. */
function documentsOf(files: readonly ManifestFile[]): readonly unknown[] {
  return files
    .filter((file) => !isKustomization(file) && !isForHands(file))
    .filter(({ path }) => !path.startsWith('overlays/review/'))
    .flatMap(({ text }) => parseYaml(text));
}
