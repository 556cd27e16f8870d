import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { writeToFd } from '../../src/files/output.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const mebibyte = 1024 * 1024;

/** Runs `script` in a process of its own, with `write` as the writer to its stdout, which is a socket. */
function run(t: ExecutionContext, script: string) {
  const module = new URL('../../src/files/output.js', import.meta.url).href;
  const source = `import { writeToFd } from ${JSON.stringify(module)}; const write = writeToFd(1); ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

test('all bytes reach a file, after those that are already there', async (t) => {
  const path = join(await temporaryDirectory(t), 'output');
  const file = await open(path, 'w');
  const write = writeToFd(file.fd);

  await write(Buffer.from('one\n'));
  await write(Buffer.alloc(mebibyte, 'x'));
  await file.close();

  t.is(await readFile(path, 'utf8'), `one\n${'x'.repeat(mebibyte)}`);
});

test('a write to a full pipe waits for the reader, and no byte is lost or doubled', async (t) => {
  const child = run(
    t,
    `await write(Buffer.from(Array.from({ length: 300_000 }, (_, i) => i + '\\n').join('')));`,
  );

  const received = await text(child.stdout);

  t.true(received === Array.from({ length: 300_000 }, (_, i) => `${i}\n`).join(''));
});

test('a process whose reader has stalled still ends when it is told to', async (t) => {
  const child = run(t, `void write(Buffer.alloc(8 * ${mebibyte})); process.exit(3);`);

  await once(child, 'exit');

  t.is(child.exitCode, 3);
});

test('a reader that is gone is an error of the write', async (t) => {
  const child = run(
    t,
    `const code = await write(Buffer.alloc(8 * ${mebibyte})).catch((error) => error.code);
    process.exit(code === 'EPIPE' ? 3 : 4);`,
  );
  child.stdout.destroy();

  await once(child, 'exit');

  t.is(child.exitCode, 3);
});

test('a file that cannot be written is an error of the write', async (t) => {
  const file = await open(join(await temporaryDirectory(t), 'output'), constants.O_CREAT);
  t.teardown(() => file.close());

  await t.throwsAsync(writeToFd(file.fd)(Buffer.from('x')), { code: 'EBADF' });
});
