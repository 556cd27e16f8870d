import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { projectRoot } from '../support/project-root.ts';
import { connectClient } from './client-fixture.ts';

test('the example in docs/api.md does what it says', async (t) => {
  const { proxy, end } = await connectClient(t);
  const root = await projectRoot();
  const page = await readFile(join(root, 'docs', 'api.md'), 'utf8');
  const example = /```js\n(import [^`]*repricer\/client[\s\S]*?)```/.exec(page)?.[1] ?? '';
  const code = example.replace('http://localhost:8080', proxy.url);

  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);

  t.is(child.exitCode, 0);
  t.deepEqual(output.split('\n'), [
    'it costs 3.50 since version 1',
    'line 2: The line breaks the rules listed in "errors".',
    '1: foo costs 3.50',
    '2: foo costs 3.60',
    '',
  ]);
  await end();
});
