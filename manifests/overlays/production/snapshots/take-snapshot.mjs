import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/*
 * Asks the cluster for a snapshot of a claim, waits until it can be restored from, and then removes all
 * that are older than the oldest one to be kept. Fails when the snapshot does, or when its Job's deadline
 * ends the wait, so that whoever watches the Job learns of it; old snapshots are then kept.
 */

const { KUBERNETES_API, SERVICE_ACCOUNT, SNAPSHOT_CLAIM, SNAPSHOT_CLASS, SNAPSHOTS_KEPT } =
  process.env;
const pollMs = 1000;

const token = await readFile(`${SERVICE_ACCOUNT}/token`, 'utf8');
const namespace = await readFile(`${SERVICE_ACCOUNT}/namespace`, 'utf8');
const snapshots = `${KUBERNETES_API}/apis/snapshot.storage.k8s.io/v1/namespaces/${namespace}/volumesnapshots`;

const taken = await takeSnapshot();
await becomesReady(taken);
for (const name of await outdated()) await ask('DELETE', `${snapshots}/${name}`);

/** The name of a new snapshot, which is not ready yet. */
async function takeSnapshot() {
  const { metadata } = await ask('POST', snapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      generateName: `${SNAPSHOT_CLAIM}-`,
      labels: { 'repricer-schedule': SNAPSHOT_CLAIM },
    },
    spec: {
      volumeSnapshotClassName: SNAPSHOT_CLASS,
      source: { persistentVolumeClaimName: SNAPSHOT_CLAIM },
    },
  });
  return metadata.name;
}

async function becomesReady(name) {
  for (;;) {
    const { status } = await ask('GET', `${snapshots}/${name}`);
    if (status?.readyToUse) return;
    if (status?.error) throw new Error(`${name}: ${status.error.message}`);
    await wait(pollMs);
  }
}

/** Names of those that are older than the ones to keep. One that failed counts for none, and goes with its time. */
async function outdated() {
  const { items } = await ask(
    'GET',
    `${snapshots}?labelSelector=repricer-schedule=${SNAPSHOT_CLAIM}`,
  );
  const ready = items.filter(({ status }) => status?.readyToUse);
  const times = ready.map(createdAt).sort().reverse();
  const oldestKept = times[Number(SNAPSHOTS_KEPT) - 1];
  return items
    .filter((item) => oldestKept !== undefined && createdAt(item) < oldestKept)
    .map(({ metadata }) => metadata.name);
}

/** RFC 3339 in UTC and whole seconds, which sorts as text. */
function createdAt({ metadata }) {
  return metadata.creationTimestamp;
}

async function ask(method, address, body) {
  const response = await fetch(address, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status}`);
  return response.json();
}
