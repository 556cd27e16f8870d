import type http from 'node:http';
import type { ExecutionContext } from 'ava';
import type { Clients } from '../../src/access/client.ts';
import type { HttpLimits } from '../../src/app.ts';
import type { PriceFeed } from '../../src/http/feed/price-feed.ts';
import { type RecordedLog, serve } from '../http/http-fixture.ts';
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
  readonly origins?: readonly string[];
  readonly isCompressing?: boolean;
}

export async function startLedgerService(
  t: ExecutionContext,
  directory: string,
  {
    limits,
    clients,
    origins,
    isCompressing,
    stopping,
    streamHeartbeatMs,
    ...parts
  }: LedgerServiceParts = {},
): Promise<LedgerService> {
  const open = await openLedger(directory, parts);
  const { port, server, feed, log } = await serve(t, open.ledger, {
    ...limits,
    ...(clients !== undefined && { clients }),
    ...(origins !== undefined && { origins }),
    ...(isCompressing !== undefined && { isCompressing }),
    ...(stopping !== undefined && { stopping }),
    ...(streamHeartbeatMs !== undefined && { streamHeartbeatMs }),
  });
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
