import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ReloadedTokens } from '../../src/access/reloaded-tokens.ts';
import { encodeTokenList } from '../../src/access/token-list.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { entry, tokenOf } from '../support/tokens.ts';

const [alice, bob] = [entry('alice', ['read']), entry('bob', ['read'])];

async function start(t: ExecutionContext) {
  const path = join(await temporaryDirectory(t), 'tokens.json');
  const write = (...entries: (typeof alice)[]) => writeFile(path, encodeTokenList(entries));
  await write(alice);
  const files = new FaultyFiles();
  const tokens = await ReloadedTokens.open(files, path);
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const tell = (what: string) => {
    told.push(what);
    for (const resolve of waiting.splice(0)) resolve();
  };
  tokens.watch({
    tokensReloaded: (count) => tell(`${count} tokens`),
    reloadFailed: (error) => tell(error.message),
  });
  t.teardown(() => tokens.close());
  const isIn = (name: string) => tokens.identify(tokenOf(name)) !== undefined;
  const nextTold = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { path, files, tokens, told, write, isIn, nextTold };
}

test('a changed file is read without being asked for', async (t) => {
  const { write, told, isIn, nextTold } = await start(t);

  const next = nextTold();
  await write(bob);
  await next;

  t.deepEqual(told, ['1 tokens']);
  t.true(isIn('bob'));
  t.false(isIn('alice'));
});

test('a broken file, or none, locks out nobody and lets in nobody, and is told once until it changes', async (t) => {
  const { path, tokens, write, told, isIn } = await start(t);

  await writeFile(path, encodeTokenList([alice, bob]).replace('"bob"', '"alice"'));
  await tokens.reload();
  await rm(path);
  await tokens.reload();

  t.deepEqual(told, [
    `tokens file ${path}: tokens[1].name is that of tokens[0]`,
    `tokens file ${path}: it cannot be read (ENOENT)`,
  ]);
  t.true(isIn('alice'));
  t.false(isIn('bob'));
  await write(bob);
  await tokens.reload();
  t.is(told[2], '1 tokens');
  t.true(isIn('bob'));
});

test('a look at a file that is as it was, good or broken, tells nothing', async (t) => {
  const { path, files, tokens, told, nextTold } = await start(t);
  const twoLooks = async () => {
    const looks = files.calls('close').length;
    while (files.calls('close').length < looks + 2) await delay(100);
  };

  await twoLooks();
  t.is(told.length, 0);
  const next = nextTold();
  await writeFile(path, '{');
  await next;
  await twoLooks();

  t.is(told.length, 1);
  await tokens.reload();
  t.is(told.length, 2);
});

test('the link of a mounted secret that is moved to a new version is followed', async (t) => {
  const directory = await temporaryDirectory(t);
  const versionOf = async (name: string, tokens: (typeof alice)[]) => {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'tokens.json'), encodeTokenList(tokens));
  };
  await versionOf('..v1', [alice]);
  await symlink('..v1', join(directory, '..data'));
  await symlink(join('..data', 'tokens.json'), join(directory, 'tokens.json'));
  const tokens = await ReloadedTokens.open(new FaultyFiles(), join(directory, 'tokens.json'));
  const reloaded = new Promise((resolve) =>
    tokens.watch({ tokensReloaded: resolve, reloadFailed: resolve }),
  );
  t.teardown(() => tokens.close());

  await versionOf('..v2', [alice, bob]);
  await symlink('..v2', join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));

  t.is(await reloaded, 2);
  t.not(tokens.identify(tokenOf('bob')), undefined);
});

test('any failure of the disk keeps the tokens of before', async (t) => {
  const { path, files, tokens, write, told, isIn } = await start(t);
  await write(bob);

  for (const [operation, errno] of [
    ['open', 'EMFILE'],
    ['open', 'EACCES'],
    ['fstat', 'EIO'],
    ['read', 'EIO'],
  ] as const) {
    const fault = files.fail(operation, /tokens/, errno);
    await tokens.reload();
    fault.stop();
    t.is(told.at(-1), `tokens file ${path}: it cannot be read (${errno})`);
    t.true(isIn('alice'));
    t.false(isIn('bob'));
  }
});

test('a read that hangs is told as a failure, holds no second thread, and the file is followed again once it ends', async (t) => {
  const { files, tokens, write, told, isIn, nextTold } = await start(t);
  const hold = files.hold('open', /tokens/);
  const next = nextTold();
  await write(bob);
  await hold.reached();

  await next;
  await tokens.reload();
  const reads = files.calls('open', /tokens/).length;

  t.regex(told[0] ?? '', /reading it takes over 5000 ms$/);
  t.is(told.length, 2);
  t.is(reads, 2, 'that of the start, and the one that hangs');
  t.true(isIn('alice'));
  const again = nextTold();
  hold.release();
  await again;
  t.true(isIn('bob'));
  t.is(told[2], '1 tokens');
});

test('a pipe in the place of the file is refused unopened, at the start and later', async (t) => {
  const { path, files, tokens, told, isIn } = await start(t);
  await rm(path);
  await promisify(execFile)('mkfifo', [path]);
  const opens = files.calls('open').length;

  await tokens.reload();
  const starting = await t.throwsAsync(ReloadedTokens.open(files, path));

  t.deepEqual(told, [`tokens file ${path}: it is not a regular file`]);
  t.like(starting, { code: 'INVALID_CONFIG', message: told[0] });
  t.is(files.calls('open').length, opens);
  t.true(isIn('alice'));
});

test('a file that is missing, too long or broken ends the start with all that is wrong', async (t) => {
  const path = join(await temporaryDirectory(t), 'tokens.json');
  const open = () => t.throwsAsync(ReloadedTokens.open(new FaultyFiles(), path));

  const missing = await open();
  await writeFile(path, Buffer.alloc(2 * 1024 * 1024 + 1, ' '));
  const tooLong = await open();
  await writeFile(path, '{"tokens":[{"name":"a","sha256":"","scopes":["read"]},5]}');
  const broken = await open();

  t.is(missing?.message, `tokens file ${path}: it cannot be read (ENOENT)`);
  t.is(tooLong?.message, `tokens file ${path}: it is longer than 2097152 bytes`);
  t.is(broken?.message.split('\n').length, 2);
  t.like(broken, { code: 'INVALID_CONFIG' });
});
