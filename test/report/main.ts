import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../support/project-root.ts';
import { junitOf } from './junit.ts';

/* Runs all tests, shows what they say, and writes it to reports/junit.xml. Ends as they end. */

const root = await projectRoot();
const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
const tests = spawn(process.execPath, [ava, '--tap', ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
let tap = '';
tests.stdout.setEncoding('utf8').on('data', (part: string) => {
  tap += part;
  process.stdout.write(part);
});
await once(tests, 'close');
await mkdir(join(root, 'reports'), { recursive: true });
await writeFile(join(root, 'reports/junit.xml'), junitOf(tap));
process.exitCode = tests.exitCode ?? 1;
