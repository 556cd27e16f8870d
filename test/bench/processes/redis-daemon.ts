import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RedisConnection } from '../peers/redis-connection.ts';
import { Daemon } from './daemon.ts';
import { untilServing } from './until-serving.ts';

/** Redis on a socket in a directory, with every command on disk before it is answered. */
export async function startRedisDaemon(
  server: string,
  directory: string,
): Promise<{ readonly daemon: Daemon; readonly socket: string }> {
  await mkdir(directory);
  const socket = join(directory, 'socket');
  const settings = {
    ...{ port: '0', unixsocket: socket, dir: directory, save: '', daemonize: 'no' },
    ...{ appendonly: 'yes', appendfsync: 'always' },
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const daemon = Daemon.start(server, args, join(directory, 'log'));
  await untilServing(daemon, async () => (await RedisConnection.open(socket)).close());
  return { daemon, socket };
}
