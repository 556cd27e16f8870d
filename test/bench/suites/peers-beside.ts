import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { BenchServer } from '../processes/bench-server.ts';
import { findPeers, peerDirectory } from '../processes/peers.ts';
import { startRepricer } from '../processes/repricer-server.ts';
import { presentSkip, type Skip } from '../report/measure.ts';
import { recordsOf } from './store-records.ts';

/** The service, and all peers that this machine can start; one runs at a time. */
export interface ServersBeside {
  /** The service is the first. */
  readonly servers: readonly BenchServer[];
  readonly service: BenchServer;
  /** Whom this machine cannot start. */
  readonly skipped: readonly Skip[];
}

/** Starts them on empty stores for as long as `use` takes. Nothing of them is left afterwards. */
export async function withPeersBeside<Result>(
  bench: Bench,
  name: string,
  use: (beside: ServersBeside) => Promise<Result>,
): Promise<Result & { readonly recordsVerified: number }> {
  const directory = join(bench.directory, name);
  const dataDir = join(directory, 'data');
  await mkdir(directory);
  const peers = findPeers();
  const skipped = peers.flatMap(({ name: subject, lack: reason }) =>
    reason === undefined ? [] : [{ subject, reason }],
  );
  for (const skip of skipped) process.stderr.write(`SKIPPED: ${presentSkip(skip)}\n`);
  const servers: BenchServer[] = [];
  try {
    const queueMax = Math.max(50, ...bench.options.connections);
    const service = await startRepricer(dataDir, {
      flags: ['--queue-max', String(queueMax), '--reads-max', String(queueMax)],
    });
    servers.push(service);
    for (const peer of peers.filter(({ lack }) => lack === undefined)) {
      servers.push(await peer.start(peerDirectory(directory, peer)));
    }
    for (const server of servers) server.process.pause();
    const result = await use({ servers, service, skipped });
    for (const server of servers) await server.stop();
    return { ...result, recordsVerified: await recordsOf(dataDir) };
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
  }
}
