import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { projectRoot } from '../support/project-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { typeErrorsIn } from './type-errors.ts';

interface Snapshot {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly error?: { readonly message: string };
  };
}

const path = '/apis/snapshot.storage.k8s.io/v1/namespaces/prices/volumesnapshots';
const labelled = `${path}?labelSelector=repricer-schedule=repricer-data`;

/** Runs the script against a cluster's API that has these snapshots, of which it makes the last one. */
async function takeSnapshot(t: ExecutionContext, items: readonly Snapshot[]) {
  const asked: string[] = [];
  let body: unknown;
  let looks = 0;
  const taken = items.at(-1);
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const { method = '', url = '', headers } = request;
    asked.push(`${method} ${url}`);
    t.is(headers.authorization, 'Bearer secret');
    if (method === 'POST') body = JSON.parse(await text(request)) as unknown;
    if (url === labelled) return { items };
    looks += 1;
    // Made, and then not ready at the first look.
    return looks > 2 ? taken : { ...taken, status: {} };
  };
  const api = createServer(async (request, response) => {
    response.end(JSON.stringify(await answer(request)));
  });
  t.teardown(() => {
    api.close();
    api.closeAllConnections();
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const address = api.address();
  const account = await temporaryDirectory(t);
  await writeFile(join(account, 'token'), 'secret');
  await writeFile(join(account, 'namespace'), 'prices');
  const script = join(
    await projectRoot(),
    'manifests/overlays/production/snapshots/take-snapshot.mjs',
  );
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      KUBERNETES_API: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
      SERVICE_ACCOUNT: account,
      SNAPSHOT_CLAIM: 'repricer-data',
      SNAPSHOT_CLASS: 'repricer-data',
      SNAPSHOTS_KEPT: '2',
    },
  });
  const [errors] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, errors, asked, body };
}

function snapshot(day: number, status: Snapshot['status'] = { readyToUse: true }): Snapshot {
  const creationTimestamp = `2026-11-${day}T10:17:00Z`;
  return { metadata: { name: `of-${day}`, creationTimestamp }, status };
}

test('a snapshot is asked for and waited for, and then those are removed that are older than the ones to keep', async (t) => {
  const notReady = { readyToUse: false };
  const items = [
    snapshot(15, notReady),
    snapshot(16),
    snapshot(17),
    snapshot(18, notReady),
    snapshot(19),
  ];

  const { code, asked, body } = await takeSnapshot(t, items);

  t.is(code, 0);
  t.deepEqual(asked, [
    `POST ${path}`,
    `GET ${path}/of-19`,
    `GET ${path}/of-19`,
    `GET ${labelled}`,
    `DELETE ${path}/of-15`,
    `DELETE ${path}/of-16`,
  ]);
  t.like(body, { spec: { source: { persistentVolumeClaimName: 'repricer-data' } } });
  t.deepEqual(await typeErrorsIn(t, [body]), [[]]);
});

test('while there are fewer than the ones to keep, none is removed', async (t) => {
  const { code, asked } = await takeSnapshot(t, [
    snapshot(10, { readyToUse: false }),
    snapshot(19),
  ]);

  t.is(code, 0);
  t.deepEqual(
    asked.filter((line) => line.startsWith('DELETE')),
    [],
  );
});

test('a snapshot that fails fails its job, and no older one is removed', async (t) => {
  const failed = snapshot(19, { error: { message: 'the disk is gone' } });

  const { code, errors, asked } = await takeSnapshot(t, [snapshot(16), snapshot(17), failed]);

  t.is(code, 1);
  t.regex(errors, /of-19: the disk is gone/);
  t.deepEqual(
    asked.filter((line) => line.startsWith('DELETE')),
    [],
  );
});
