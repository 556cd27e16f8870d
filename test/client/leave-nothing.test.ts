import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { connectClient } from './client-fixture.ts';

const program = fileURLToPath(new URL('leave-nothing.js', import.meta.url));

/** Far below every timer that the client sets. */
const promptMs = 5000;

test('a process that used the client ends as soon as it has nothing else to do', async (t) => {
  const { proxy, end } = await connectClient(t);

  const child = spawn(process.execPath, [program, proxy.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let doneMs = 0;
  child.stdout.on('data', (data: Buffer) => {
    if (data.toString().includes('done')) doneMs = performance.now();
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);

  t.is(child.exitCode, 0);
  t.is(output, 'recorded\ndone\n');
  t.true(performance.now() - doneMs < promptMs);
  await end();
});
