import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../src/errors.ts';

/** Where Debian keeps PostgreSQL's own programs, a directory for each version. */
const postgresVersions = '/usr/lib/postgresql';

/** The path of a program; undefined when this machine has none of that name. */
export function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), ...versionDirectories()];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function versionDirectories(): readonly string[] {
  try {
    return readdirSync(postgresVersions).map((version) => join(postgresVersions, version, 'bin'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}
