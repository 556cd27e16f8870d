import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { KeptStatistics } from '../../src/access/kept-statistics.ts';
import { nodeFileSystem } from '../../src/files/file-system.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const neverMs = 1_000_000;

async function start(
  t: ExecutionContext,
  { directory = '', intervalMs = neverMs, files = new FaultyFiles() } = {},
) {
  const dataDir = directory === '' ? await temporaryDirectory(t) : directory;
  const told: string[] = [];
  const events = {
    statisticsLost: (_: unknown, savedAs: string | undefined) => void told.push(String(savedAs)),
    saveFailed: (error: unknown) => void told.push(String(error)),
  };
  const kept = await KeptStatistics.open(files, dataDir, events, intervalMs);
  t.teardown(() => kept.close());
  return { dataDir, files, told, kept, path: join(dataDir, 'clients.json') };
}

test('what was counted goes on after a restart', async (t) => {
  const first = await start(t);
  first.kept.statistics
    .countRequest('crawler', new Socket())
    .addTally({ accepted: 3, read: 1, refused: new Map([['QUEUE_FULL', 2]]) });
  first.kept.statistics.countRequest(undefined, new Socket());
  const before = first.kept.statistics.counted;

  await first.kept.close();
  const { kept, told } = await start(t, { directory: first.dataDir });
  const after = kept.statistics.counted;
  kept.statistics.countRequest('crawler', new Socket());

  t.deepEqual(after, before);
  t.deepEqual(told, []);
  t.like(kept.statistics.counted.clients[0], { name: 'crawler', requests: 2, accepted: 3 });
});

test('it is written while the service runs, and only when something was counted', async (t) => {
  const { kept, files, path } = await start(t, { intervalMs: 5 });
  const renamed = files.hold('rename', /clients/);

  kept.statistics.countRequest('crawler', new Socket());
  await renamed.reached();
  renamed.release();
  const writes = () => files.calls('rename').length;
  const first = writes();
  await new Promise((resolve) => setTimeout(resolve, 50));

  t.is(writes(), first);
  t.regex(await readFile(path, 'utf8'), /"name":"crawler","requests":1,/);
});

for (const [what, text] of [
  ['torn', '{"since":"2026-11-21T00:00:00.000Z","clients":[\n'],
  ['of another form', '{"since":"2026-11-21T00:00:00.000Z","clients":[{"name":"crawler"}]}'],
  ['with a count that is none', '{"since":"2026-11-21T00:00:00.000Z","clients":[],"x":-1}'],
] as const) {
  test(`a file that is ${what} is set aside and told, and counting begins anew`, async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'clients.json'), text);

    const { kept, told, path } = await start(t, { directory });

    t.deepEqual(told, [`${path}.broken`]);
    t.deepEqual(kept.statistics.counted.clients, []);
    t.is(await readFile(`${path}.broken`, 'utf8'), text);
  });
}

for (const errno of ['EACCES', 'EIO'] as const) {
  test(`a file that cannot be read (${errno}) is set aside if that works, and nothing is held up`, async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'clients.json'), 'what is there');
    const files = new FaultyFiles();
    files.fail('open', /clients/, errno);

    const { kept, told, path } = await start(t, { directory, files });
    files.fail('rename', /clients/, errno);
    await mkdir(path);
    const second = await start(t, { directory, files });

    t.deepEqual(told, [`${path}.broken`]);
    t.deepEqual(kept.statistics.counted.clients, []);
    t.deepEqual(second.told, ['undefined']);
    t.is(await readFile(`${path}.broken`, 'utf8'), 'what is there');
    files.stopFailing();
    await rm(path, { recursive: true });
  });
}

test('a save that fails is told, hurts nobody, and is made up for', async (t) => {
  const { kept, files, told, dataDir, path } = await start(t);
  kept.statistics.countRequest('crawler', new Socket());
  const fault = files.fail('datasync', /clients/, 'ENOSPC');

  await kept.close();
  fault.stop();
  await kept.close();

  t.is(told.length, 1);
  t.regex(told[0] ?? '', /ENOSPC/);
  t.regex(await readFile(path, 'utf8'), /crawler/);
  t.deepEqual(await nodeFileSystem.list(dataDir), ['clients.json']);
});
