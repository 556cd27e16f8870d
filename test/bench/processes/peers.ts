import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasSqlite } from '../peers/sqlite.ts';
import type { BenchServer } from './bench-server.ts';
import { findProgram } from './find-program.ts';
import { startPeer } from './peer-server.ts';
import { startPostgresDaemon } from './postgres-daemon.ts';
import { startRedisDaemon } from './redis-daemon.ts';

/** A peer that this machine may be able to start. */
export interface Peer {
  readonly name: string;
  /** Why not; undefined when it can. */
  readonly lack: string | undefined;
  /** In an empty directory of its own, on the disk of the service. */
  start(directory: string): Promise<BenchServer>;
}

export const bareKoa = 'bare Koa';
export const sqlite = 'Koa + SQLite';
export const redis = 'Koa + Redis';
export const postgres = 'Koa + PostgreSQL';

/** All peers that store something, and the one that does not. */
export function findPeers(): readonly Peer[] {
  return [
    { name: bareKoa, lack: undefined, start: () => startPeer(bareKoa, 'bare-koa') },
    {
      name: sqlite,
      lack: hasSqlite() ? undefined : `${process.version} has no node:sqlite; Node 24 has`,
      start: async (directory) => {
        await mkdir(directory);
        return startPeer(sqlite, 'sqlite-koa', [directory]);
      },
    },
    findRedis(),
    findPostgres(),
  ];
}

function findRedis(): Peer {
  const server = findProgram('redis-server');
  return {
    name: redis,
    lack: server === undefined ? 'there is no redis-server (Debian: redis-server)' : undefined,
    async start(directory) {
      const { daemon, socket } = await startRedisDaemon(server ?? '', directory);
      return startPeer(redis, 'redis-koa', [socket], { daemon, signal: 'SIGTERM' });
    },
  };
}

function findPostgres(): Peer {
  const [server, initdb] = [findProgram('postgres'), findProgram('initdb')];
  const isThere = server !== undefined && initdb !== undefined;
  return {
    name: postgres,
    lack: isThere ? undefined : 'there is no postgres or no initdb (Debian: postgresql)',
    async start(directory) {
      const programs = { server: server ?? '', initdb: initdb ?? '' };
      const { daemon, socket, user } = await startPostgresDaemon(programs, directory);
      // A fast shutdown: it waits for no connection.
      return startPeer(postgres, 'postgres-koa', [socket, user], { daemon, signal: 'SIGINT' });
    },
  };
}

/** The path of a peer's directory, without blanks. */
export function peerDirectory(directory: string, { name }: Peer): string {
  return join(directory, name.replaceAll(/[^a-zA-Z]+/g, '-').toLowerCase());
}
