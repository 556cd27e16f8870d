import { execFile } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresConnection } from '../peers/postgres-connection.ts';
import { Daemon } from './daemon.ts';
import { untilServing } from './until-serving.ts';

/** The user of the database; whoever can open the socket is believed to be him. */
const user = 'bench';

/** PostgreSQL does not run as root, so there it runs as `nobody`, whose number this is on Linux. */
const nobody = { uid: 65_534, gid: 65_534 };

/** A new database in a directory, which serves on a socket in it; its settings are the defaults. */
export async function startPostgresDaemon(
  programs: { readonly server: string; readonly initdb: string },
  directory: string,
): Promise<{ readonly daemon: Daemon; readonly socket: string; readonly user: string }> {
  const owner = process.getuid?.() === 0 ? nobody : undefined;
  await mkdir(directory);
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const settings = [
    '-D',
    data,
    '-U',
    user,
    '--auth=trust',
    '--no-locale',
    '-E',
    'UTF8',
    '--no-sync',
  ];
  await promisify(execFile)(programs.initdb, settings, { cwd: directory, ...owner });
  const args = ['-D', data, '-k', directory, '-c', 'listen_addresses='];
  const daemon = Daemon.start(programs.server, args, `${directory}.log`, owner);
  const socket = join(directory, '.s.PGSQL.5432');
  await untilServing(daemon, async () => (await PostgresConnection.open(socket, user)).close());
  return { daemon, socket, user };
}
