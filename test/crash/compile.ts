import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles a C source of this directory to `target`. Throws what the compiler says. */
export function compile(source: string, target: string, flags: readonly string[] = []): void {
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', [...warnings, '-O2', ...flags, '-o', target, pathOf(source), '-ldl']);
}

/** A build, or a copy of one with a planted bug, lies somewhere below the sources that it was made from. */
function pathOf(source: string): string {
  let root = dirname(fileURLToPath(import.meta.url));
  const pathIn = (directory: string) => join(directory, 'test', 'crash', source);
  while (!existsSync(pathIn(root)) && root !== dirname(root)) root = dirname(root);
  return pathIn(root);
}
