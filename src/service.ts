import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { anonymousClients } from './access/client.ts';
import { KeptStatistics } from './access/kept-statistics.ts';
import { isLoopback } from './access/loopback.ts';
import { ReloadedTokens } from './access/reloaded-tokens.ts';
import { createRequestListener } from './app.ts';
import type { Config } from './config/options.ts';
import { serviceIdentity } from './config/service-identity.ts';
import type { RepricerError } from './errors.ts';
import { makeDirectories } from './files/directories.ts';
import { DirectoryLock } from './files/directory-lock.ts';
import type { FileSystem } from './files/file-system.ts';
import { readFile } from './files/read-file.ts';
import { PriceFeed } from './http/feed/price-feed.ts';
import { createHttpServer } from './http/server/http-server.ts';
import type { Clock } from './ledger/clock.ts';
import { PriceLedger } from './ledger/price-ledger.ts';
import { createBackplane } from './ops/backplane.ts';
import { createBackplaneServer } from './ops/backplane-server.ts';
import { Health } from './ops/health.ts';
import type { Log } from './ops/log.ts';
import { Metrics } from './ops/metrics.ts';
import { Profiler } from './ops/profiler.ts';
import { createStatisticsReporter } from './ops/statistics-reporter.ts';
import { createStorageReporter } from './ops/storage-reporter.ts';
import { createTokensReporter } from './ops/tokens-reporter.ts';
import { type MeasuredParts, readService } from './service-readings.ts';
import { refuseBackup } from './storage/backup.ts';
import { FileStorage } from './storage/file-storage.ts';
import type { StorageEvents } from './storage/storage-events.ts';

/** What the process gives the service; a test puts its own in their place. */
export interface ServiceParts {
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** Told once when the storage has failed for good: the process has to end and be started again. */
  readonly onFailure: (error: RepricerError) => void;
  /** Has `reload` called each time that the operator asks for the tokens file to be read again. */
  readonly onReloadAsked: (reload: () => void) => void;
}

/** A service that has recovered its data and listens. */
export interface Service {
  readonly port: number;
  readonly backplanePort: number;
  /** Gives every accepted request its true answer, puts everything in its final place, and lets go of it. */
  stop(): Promise<void>;
}

/** How long idle connections may bring one more request while the server drains. */
const idleGraceMs = 500;

/** How often connections that are idle after that are closed. */
const idleSweepMs = 50;

/**
 * Builds every object, hands each what it needs, and starts them in this order: tokens, lock,
 * backplane, storage (which recovers), ledger, statistics, HTTP. They stop in the reverse order, also when
 * a step of the start fails. Throws what the failing step throws.
 */
export async function startService(config: Config, parts: ServiceParts): Promise<Service> {
  const steps = new StopSteps();
  try {
    return await start(config, parts, steps);
  } catch (error) {
    await steps.runAll();
    throw error;
  }
}

async function start(
  config: Config,
  { files, clock, log, onFailure, onReloadAsked }: ServiceParts,
  steps: StopSteps,
): Promise<Service> {
  const { tokensFile } = config;
  const tokens = tokensFile === '' ? undefined : await ReloadedTokens.open(files, tokensFile);
  await refuseBackup(files, config.dataDir);
  await makeDirectories(files, config.dataDir);
  const lock = await DirectoryLock.acquire(files, config.dataDir);
  steps.add(() => lock.release());

  const health = new Health();
  health.notReady('recovering');
  const measured: MeasuredParts = { config, health, log, tokens };
  const metrics = new Metrics(() => readService(measured));
  if (tokens !== undefined) {
    const tokensReporter = createTokensReporter(log, metrics);
    tokens.watch({
      ...tokensReporter,
      tokensReloaded: (count) => {
        tokensReporter.tokensReloaded(count);
        measured.feed?.endForbidden();
      },
    });
    steps.add(() => tokens.close());
  }
  onReloadAsked(() => {
    if (tokens === undefined) log.warn('there is no tokens file that could be read again');
    else void tokens.reload();
  });
  const profiler = config.profiling ? new Profiler() : undefined;
  const admin = config.admin ? () => measured.ledger : undefined;
  const isLocalOnly = isLoopback(config.host);
  const backplane = createBackplaneServer(
    createBackplane({
      identity: serviceIdentity(config),
      health,
      metrics,
      log,
      isLocalOnly,
      clients: tokens,
      profiler,
      admin,
    }).callback(),
  );
  const backplanePort = await listen(backplane, config.backplanePort, config.host);
  steps.add(() => closeAtOnce(backplane));

  const reporter = createStorageReporter(log, metrics);
  const events: StorageEvents = {
    ...reporter,
    roomMeasured: (freeBytes, freeFiles) => {
      measured.room = { freeBytes, freeFiles };
    },
    roomChanged: (hasRoom, bytes) => {
      reporter.roomChanged(hasRoom, bytes);
      if (hasRoom) health.cleared('no space');
      else health.notReady('no space', `${bytes} bytes are free on the volume`);
    },
  };
  const options = { ...config, directory: config.dataDir };
  const storage = await FileStorage.open(files, options, events, clock);
  measured.storage = storage;
  for (const setSeq of [metrics.setSealedSeq, metrics.setAggregatedSeq, metrics.setCheckpointSeq]) {
    setSeq.call(metrics, storage.lastSeq);
  }

  const onStorageFailure = (error: RepricerError) => {
    health.notReady('storage failed', error.message);
    onFailure(error);
  };
  const ledger = await openLedgerOn(storage, config, clock, onStorageFailure, (seconds) =>
    metrics.observeQueueWait(seconds),
  );
  measured.ledger = ledger;
  steps.add(() => ledger.close());

  const statisticsReporter = createStatisticsReporter(log, metrics);
  const kept = await KeptStatistics.open(files, config.dataDir, statisticsReporter);
  steps.add(() => kept.close());
  const { statistics } = kept;
  measured.statistics = statistics;

  const feed = new PriceFeed(ledger, config, log);
  measured.feed = feed;

  const stopping = new AbortController();
  const streams = new AbortController();
  // `batchesMax` and `readsMax` bound those that listen.
  setMaxListeners(0, stopping.signal, streams.signal);
  const serve = createRequestListener({
    ...{ ledger, feed, statistics, log, metrics },
    clients: tokens ?? anonymousClients,
    isLocalOnly: tokens === undefined && !config.allowAnonymous,
    origins: config.corsOrigin,
    isCompressing: config.compress,
    limits: config,
    isDraining: () => stopping.signal.aborted,
    stopping: stopping.signal,
    streamsEnd: streams.signal,
    readFile: (path) => readFile(files, path),
  });
  const server = createHttpServer(serve, config, (code) => metrics.countRefusal(code));
  server.on('drop', () => metrics.countDroppedConnection());
  const silent = trackSilentConnections(server);
  // A burst of as many connections as may be open waits to be accepted; past the kernel's queue they get lost.
  const port = await listen(server, config.port, config.host, config.connectionsMax);
  steps.add(() => drain(server, silent));
  // Streams never end by themselves, so they are ended before the server waits for its connections.
  steps.add(() => feed.close());

  health.cleared('recovering');
  const stop = async () => {
    stopping.abort();
    health.notReady('draining');
    // A reader that takes its time must not keep the rest of the stop from its own.
    const cutting = setTimeout(() => streams.abort(), config.shutdownTimeoutMs / 2);
    try {
      await steps.runAll();
    } finally {
      clearTimeout(cutting);
    }
  };
  return { port, backplanePort, stop };
}

/** Records that one commit writes and syncs together, unless fewer may wait for their product files. */
const batchRecordsMax = 5000;

/** From here on the storage is closed by the ledger. */
async function openLedgerOn(
  storage: FileStorage,
  config: Config,
  clock: Clock,
  onFailure: (error: RepricerError) => void,
  onTaken: (waitedSeconds: number) => void,
): Promise<PriceLedger> {
  const batchMax = Math.min(batchRecordsMax, config.backlogRecordsMax);
  const options = { ...config, batchRecordsMax: batchMax };
  try {
    return await PriceLedger.open(storage, options, clock, onFailure, onTaken);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** What has to be undone, in the reverse order. */
class StopSteps {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs every step, also after one has failed, and throws the first failure at the end. */
  async runAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

async function listen(
  server: Server,
  port: number,
  host: string,
  backlog?: number,
): Promise<number> {
  server.listen({ port, host, ...(backlog !== undefined && { backlog }) });
  await once(server, 'listening');
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Takes no new connections and resolves when the last one is closed.
 *
 * A client may be sending its next request on a connection that looks idle, so for a while every
 * connection gets the chance to; the answer then says `Connection: close`. `http.Server.close()` would
 * close idle ones at once, and never those that become idle later; so the listener alone is closed.
 */
async function drain(server: Server, silent: () => readonly Socket[]): Promise<void> {
  const closed = once(server, 'close');
  await everythingReceived();
  NetServer.prototype.close.call(server);
  const idleUntil = performance.now() + idleGraceMs;
  const sweep = setInterval(async () => {
    await everythingReceived();
    if (performance.now() < idleUntil) return;
    server.closeIdleConnections();
    for (const socket of silent()) socket.destroy();
  }, idleSweepMs);
  await closed;
  clearInterval(sweep);
}

/**
 * Resolves right after the event loop has taken in what the system had for it. A timer of a busy process
 * comes before that, and would close connections whose request is there and was not read.
 */
function everythingReceived(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The connections on which nothing was ever received: Node does not count them as idle. */
function trackSilentConnections(server: Server): () => readonly Socket[] {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return () => [...open].filter(({ bytesRead }) => bytesRead === 0);
}

async function closeAtOnce(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
