import test from 'ava';
import { DocsFiles, docsFileNames } from '../../../src/http/docs/docs-files.ts';

test('each file is read once, when it is first asked for', async (t) => {
  const paths: string[] = [];
  const files = new DocsFiles(async (path) => {
    paths.push(path);
    return Buffer.from(path);
  });
  t.deepEqual(paths, []);

  const [first, second] = await Promise.all([
    files.get('swagger-ui.css'),
    files.get('swagger-ui.css'),
  ]);
  const third = await files.get('swagger-ui.css');

  t.is(paths.length, 1);
  t.regex(paths[0] ?? '', /[\\/]swagger-ui-dist[\\/]swagger-ui\.css$/);
  t.is(first, second);
  t.is(first, third);
});

test('a file that could not be read is read again the next time', async (t) => {
  let count = 0;
  const files = new DocsFiles(async () => {
    count += 1;
    if (count === 1) throw new Error('too many open files');
    return Buffer.from('here');
  });

  await t.throwsAsync(files.get('swagger-ui.css'), { message: 'too many open files' });
  const { body } = await files.get('swagger-ui.css');

  t.is(body.toString(), 'here');
});

test('no other file is given, whatever its name', async (t) => {
  const files = new DocsFiles(() => Promise.reject(new Error('not to be read')));

  for (const name of ['', 'package.json', '../package.json', 'toString', '__proto__']) {
    await t.throwsAsync(files.get(name), { code: 'NOT_FOUND' });
  }
  t.is(docsFileNames.length, 3);
});
