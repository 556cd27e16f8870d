import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Whether `path`, which need not exist yet, is `directory` or lies in it, whatever links lead there. */
export async function isWithin(path: string, directory: string): Promise<boolean> {
  const way = relative(await realPathOf(resolve(directory)), await realPathOf(resolve(path)));
  return way !== '..' && !way.startsWith('../');
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return join(await realPathOf(dirname(path)), basename(path));
  }
}
