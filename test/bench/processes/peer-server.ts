import { BenchProcess } from './bench-process.ts';
import type { BenchServer } from './bench-server.ts';
import type { Daemon } from './daemon.ts';

/** What stands behind a peer's frame, and how it is asked to end. */
export interface Backend {
  readonly daemon: Daemon;
  readonly signal: NodeJS.Signals;
}

/** Starts the module of a peer, which sends its port when it serves. */
export async function startPeer(
  name: string,
  module: string,
  args: readonly string[] = [],
  backend?: Backend,
): Promise<BenchServer> {
  const process = BenchProcess.start(name, new URL(`../peers/${module}.js`, import.meta.url), args);
  const { port } = (await process.message()) as { readonly port: number };
  return {
    ...{ name, process, port },
    cpuRoots: backend === undefined ? [process.pid] : [process.pid, backend.daemon.pid],
    async stop() {
      await process.stop();
      await backend?.daemon.stop(backend.signal);
    },
    async kill() {
      await process.kill();
      await backend?.daemon.stop(backend.signal);
    },
  };
}
