import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { anonymousClients, type Clients } from '../../src/access/client.ts';
import { createApp, type HttpLimits } from '../../src/app.ts';
import { PriceFeed } from '../../src/http/feed/price-feed.ts';
import { createHttpServer } from '../../src/http/http-server.ts';
import { RecordedLog, testHttpLimits } from '../http/http-fixture.ts';
import { type LedgerParts, type OpenLedger, openLedger } from './ledger.ts';

/** A ledger on files behind its HTTP server, in this process. */
export interface LedgerService extends OpenLedger {
  readonly url: string;
  readonly port: number;
  readonly server: http.Server;
  readonly log: RecordedLog;
  readonly feed: PriceFeed;
  /** Closes connections, server and ledger; a second call does nothing more. */
  readonly stop: () => Promise<void>;
}

export interface LedgerServiceParts extends LedgerParts {
  readonly limits?: Partial<HttpLimits>;
  readonly stopping?: AbortSignal;
  readonly streamHeartbeatMs?: number;
  readonly clients?: Clients;
}

export async function startLedgerService(
  t: ExecutionContext,
  directory: string,
  {
    limits,
    clients = anonymousClients,
    stopping,
    streamHeartbeatMs = 15_000,
    ...parts
  }: LedgerServiceParts = {},
): Promise<LedgerService> {
  const open = await openLedger(directory, parts);
  const log = new RecordedLog();
  const feedLimits = { streamHeartbeatMs, streamStallMs: 60_000, streamSubscribersMax: 1000 };
  const feed = new PriceFeed(open.ledger, feedLimits, log);
  const app = createApp({
    ledger: open.ledger,
    feed,
    clients,
    log,
    metrics: { observeRequest: () => {} },
    limits: { ...testHttpLimits, ...limits },
    isDraining: () => false,
    ...(stopping !== undefined && { stopping }),
    readFile,
  });
  const server = createHttpServer(app, { requestTimeoutMs: 15_000, connectionsMax: 2000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let ended: Promise<void> | undefined;
  const stop = () => {
    ended ??= stopAll(server, open);
    return ended;
  };
  t.teardown(stop);
  return { ...open, url: `http://127.0.0.1:${port}`, port, server, log, feed, stop };
}

async function stopAll(server: http.Server, { ledger }: OpenLedger): Promise<void> {
  server.close();
  server.closeAllConnections();
  await ledger.close();
}
