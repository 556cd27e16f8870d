import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { sampleOf } from '../ops/samples.ts';
import { ChildService, runMain } from '../support/child-service.ts';
import { EventStream } from '../support/event-stream.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const reloaded = 'the tokens were read again';
const notReloaded = 'the tokens could not be read again; those of before stay in force';

test('a token that was made is let in as what it was made for, until it is taken out again', async (t) => {
  const { file, create, start } = await directories(t);
  const writer = await create('crawler', 'reprice,read', '--prefix', 'shoes/');
  const service = await start();
  const auditor = await create('auditor', 'read');
  await service.logLine(reloaded);

  t.is((await send(service, 'POST', '/api/reprice', writer)).status, 202);
  t.is((await send(service, 'GET', '/api/query', auditor)).status, 200);
  t.is((await send(service, 'GET', '/api/query', writer)).status, 403);
  t.is((await send(service, 'POST', '/api/reprice', auditor)).status, 403);
  t.is((await send(service, 'GET', '/api/query')).status, 401);

  const tokens = await entriesIn(file);
  await writeFile(file, JSON.stringify({ tokens: tokens.slice(1) }));
  service.signal('SIGHUP');
  while ((await send(service, 'GET', '/api/query', writer)).status !== 401);

  t.is((await send(service, 'GET', '/api/query', auditor)).status, 200);
  t.is((await service.kill('SIGTERM')).code, 0);
});

test('a stream ends when its token is taken out of the file, and those of other tokens go on', async (t) => {
  const { file, create, start } = await directories(t);
  const withdrawn = await create('withdrawn', 'read');
  const kept = await create('kept', 'read,reprice');
  const service = await start();
  const follow = (token: string) =>
    EventStream.open(`http://127.0.0.1:${service.port}/api/stream`, {
      authorization: `Bearer ${token}`,
    });
  const [ended, going] = [await follow(withdrawn), await follow(kept)];

  const tokens = await entriesIn(file);
  await writeFile(file, JSON.stringify({ tokens: tokens.slice(1) }));
  await ended.untilClosed();
  await send(service, 'POST', '/api/reprice', kept);
  await going.untilSeq(1);
  going.close();

  t.like(ended.events, { length: 1, 0: { type: 'end', data: '{"reason":"forbidden"}' } });
  t.is((await service.kill('SIGTERM')).code, 0);
});

test('no token stands in any file, in the log, or in an answer', async (t) => {
  const { directory, data, create, start } = await directories(t);
  const token = await create('crawler', 'reprice,read');
  const service = await start(['--log-level', 'debug']);

  const answers = [
    await send(service, 'POST', '/api/reprice', token),
    await send(service, 'GET', `/api/query?token=${token}`, token),
    await send(service, 'GET', '/api/query', `${token}x`),
    await service.send('GET', '/api/query', undefined, { authorization: token }),
    await service.send('GET', '/api/query', undefined, { 'x-token': [token, token] }),
    await service.send('GET', '/api/record/1', undefined, { 'x-token': token }),
  ];
  await service.kill('SIGTERM');

  t.deepEqual(
    answers.map(({ status }) => status),
    [202, 400, 401, 401, 400, 200],
  );
  t.regex(answers.at(-1)?.body ?? '', /"actor":"crawler"/);
  t.like(await service.logLine('request'), { actor: 'crawler', status: 202 });
  t.false(JSON.stringify([answers, service.logLines]).includes(token.slice(3)));
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) t.false((await readFile(path)).includes(token.slice(3)), name);
  }
  t.is((await checkCleanStore(t, data)).records, 1);
});

test('a tokens file that breaks while the service runs changes nothing, and is logged and counted', async (t) => {
  const { file, create, start } = await directories(t);
  const token = await create('crawler', 'read');
  const good = await readFile(file);
  const service = await start();
  t.is(await sample(service, 'repricer_tokens'), 1);
  t.is(await sample(service, 'repricer_tokens_reload_failures_total'), 0);

  await writeFile(file, '{"tokens":[{"name":"crawler"}]}');
  const line = await service.logLine(notReloaded);

  t.is(line['level'], 'error');
  t.regex(JSON.stringify(line), /tokens\[0\]\.sha256 must be .*tokens\[0\]\.scopes must be /);
  t.is((await send(service, 'GET', '/api/query', token)).status, 200);
  t.is((await send(service, 'GET', '/api/query')).status, 401);
  t.is(await sample(service, 'repricer_tokens'), 1);
  t.is(await sample(service, 'repricer_tokens_reload_failures_total'), 1);
  t.is(await sample(service, 'repricer_tokens_file_broken'), 1);
  await writeFile(file, good);
  await service.logLine(reloaded);
  t.is(await sample(service, 'repricer_tokens_file_broken'), 0);
  t.is((await service.kill('SIGTERM')).code, 0);
});

test('a start with a tokens file that is missing or broken ends with 64 and all that is wrong, and touches nothing', async (t) => {
  const { directory, file, data } = await directories(t);
  const flags = ['--tokens-file', file];

  const missing = ChildService.launch(t, data, flags);
  t.is((await missing.exited).code, 64);
  await writeFile(file, '{"tokens":[{"name":"crawler"}]}');
  const broken = ChildService.launch(t, data, flags);
  t.is((await broken.exited).code, 64);

  t.regex(JSON.stringify(missing.logLines), /it cannot be read \(ENOENT\)/);
  t.regex(
    JSON.stringify(broken.logLines),
    /tokens\[0\]\.sha256 must be .*tokens\[0\]\.scopes must be /,
  );
  t.deepEqual(await readdir(directory), ['tokens.json']);
});

test('an address that others can reach is not served to everyone unless that is asked for', async (t) => {
  const { data, create, start } = await directories(t);

  const refused = await runMain(['serve', '--data-dir', data, '--host', '0.0.0.0']);
  const open = await ChildService.start(t, data, ['--host', '0.0.0.0', '--allow-anonymous']);
  const anonymous = await send(open, 'POST', '/api/reprice');
  await open.kill('SIGTERM');
  await create('crawler', 'read');
  const closed = await start(['--host', '0.0.0.0']);

  t.is(refused.code, 64);
  t.regex(refused.stderr, /--host 0\.0\.0\.0 .* give --tokens-file, or --allow-anonymous/);
  t.is(anonymous.status, 202);
  t.is((await send(closed, 'GET', '/api/query')).status, 401);
});

test('without tokens the service on its own machine is served under its own names only, unless everyone is let in', async (t) => {
  const { data, create, start } = await directories(t);
  const statusesOf = async (service: ChildService) => {
    const token = await create(`client-${service.pid}`, 'read');
    const answers = ['evil.example', `evil.example:${service.port}`, 'localhost', '[::1]:1'].map(
      async (host) => {
        const headers = { host, authorization: `Bearer ${token}` };
        return (await service.send('GET', '/api/query', undefined, headers)).status;
      },
    );
    return Promise.all(answers);
  };

  const local = await ChildService.start(t, data);
  const refused = await local.send('GET', '/openapi.json', undefined, { host: 'evil.example' });
  t.deepEqual(await statusesOf(local), [421, 421, 200, 200]);
  await local.kill('SIGTERM');
  const open = await ChildService.start(t, data, ['--allow-anonymous']);
  t.deepEqual(await statusesOf(open), [200, 200, 200, 200]);
  await open.kill('SIGTERM');
  const guarded = await start();
  t.false((await statusesOf(guarded)).includes(421));

  t.is(refused.status, 421);
  t.like(JSON.parse(refused.body), { type: '/problems/misdirected' });
  t.regex(refused.body, /localhost, 127\.0\.0\.1 or \[::1\] .*--tokens-file or --allow-anonymous/);
});

test('a SIGHUP to a service without tokens is logged and does nothing', async (t) => {
  const { data } = await directories(t);
  const service = await ChildService.start(t, data);

  service.signal('SIGHUP');
  const line = await service.logLine('there is no tokens file that could be read again');

  t.is(line['level'], 'warn');
  t.is((await send(service, 'POST', '/api/reprice')).status, 202);
  t.is((await service.kill('SIGTERM')).code, 0);
});

test('token create tells the token once, and its entry, or puts that into a file of its own user', async (t) => {
  const { file, create } = await directories(t);

  const told = await runMain([
    'token',
    'create',
    '--name',
    'a',
    '--scope',
    'read',
    '--scope',
    'admin',
  ]);
  const token = await create('b', 'reprice', '--prefix', 'x');
  await chmod(file, 0o644);
  await create('c', 'read,reprice,admin');

  const [shown = '', entry = ''] = told.stdout.split('\n');
  t.regex(shown, /^rp_[\w-]{43}$/);
  t.like(JSON.parse(entry), { name: 'a', scopes: ['read', 'admin'] });
  t.regex(token, /^rp_[\w-]{43}$/);
  t.is((await stat(file)).mode & 0o777, 0o600);
  const tokens = await entriesIn(file);
  t.like(tokens, {
    length: 2,
    0: { name: 'b', scopes: ['reprice'], productPrefix: 'x' },
    1: { name: 'c', scopes: ['read', 'reprice', 'admin'] },
  });
});

test('token create refuses what would break the file, with 64, and leaves it as it was', async (t) => {
  const { file, create } = await directories(t);
  await create('taken', 'read');
  const before = await readFile(file, 'utf8');
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['--name', 'taken', '--scope', 'read'], /tokens\[1\]\.name is that of tokens\[0\]/],
    [['--name', 'Bad', '--scope', 'write'], /name must be .*\n.*scopes\[0\] must be /],
    [['--name', 'a'], /scopes must be /],
    [['--name', 'a', '--scope', 'read', '--prefix', ''], /productPrefix must be /],
    [['--name', 'a', '--scope', 'read', '--force'], /token create takes --name, /],
    [['--name', 'a', '--name', 'b', '--scope', 'read'], /--name is given twice/],
    [['--name', 'a', '--scope', 'read', '--prefix', 'x', '--prefix', 'y'], /--prefix is given/],
    [['a'], /token create takes --name, /],
  ];

  for (const [flags, expected] of refusals) {
    const { code, stdout, stderr } = await runMain([
      'token',
      'create',
      ...flags,
      '--tokens-file',
      file,
    ]);
    t.is(code, 64);
    t.is(stdout, '');
    t.regex(stderr, expected);
  }
  t.is(await readFile(file, 'utf8'), before);
  const empty = ['token', 'create', '--name', 'a', '--scope', 'read', '--tokens-file='];
  t.like(await runMain(empty), { code: 64, stdout: '' });
  await writeFile(file, '{');
  t.is(
    (await runMain(['token', 'create', '--name', 'a', '--scope', 'read', '--tokens-file', file]))
      .code,
    64,
  );
  t.is(await readFile(file, 'utf8'), '{');
});

test('the limits of clients are flags of the service', async (t) => {
  const service = await ChildService.start(t, await temporaryDirectory(t), [
    ...['--client-rate', '1', '--client-burst', '7'],
  ]);

  const { headers } = await service.get('/api/query');

  t.is(headers['ratelimit-policy'], '"client";q=7;w=7');
});

async function directories(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = await temporaryDirectory(t);
  const [file, data] = [join(directory, 'tokens.json'), join(directory, 'data')];
  const create = async (name: string, scope: string, ...more: readonly string[]) => {
    const words = ['--name', name, '--scope', scope, ...more, '--tokens-file', file];
    const { code, stdout, stderr } = await runMain(['token', 'create', ...words]);
    t.is(code, 0, stderr);
    return stdout.trim();
  };
  const start = (flags: readonly string[] = []) =>
    ChildService.start(t, data, ['--tokens-file', file, ...flags]);
  return { directory, file, data, create, start };
}

async function entriesIn(file: string): Promise<readonly unknown[]> {
  const list = JSON.parse(await readFile(file, 'utf8')) as { readonly tokens: unknown[] };
  return list.tokens;
}

function send(service: ChildService, method: 'GET' | 'POST', path: string, token?: string) {
  const body = method === 'POST' ? '{"productId":"shoes/1","price":1}' : undefined;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return service.send(method, path, body, headers);
}

async function sample(service: ChildService, series: string): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${service.backplanePort}/metrics`);
  return sampleOf(await answer.text(), series);
}
