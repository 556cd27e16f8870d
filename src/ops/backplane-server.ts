import { createServer, type RequestListener, type Server } from 'node:http';

/** More than probes, scrapers and operators ever have open. */
const connectionsMax = 100;

/** They send a few header lines and hardly ever a body. */
const requestTimeoutMs = 10_000;

/** How late that may be noticed. */
const connectionsCheckMs = 1000;

/** Longer than scrapers pause, so that they keep their connections. */
const keepAliveTimeoutMs = 65_000;

/** Longer than any answer takes, a snapshot of a large ledger included. */
const idleTimeoutMs = 600_000;

const headerBytesMax = 8 * 1024;

/** The HTTP server of the backplane, with every limit explicit: it must not be what fills the process up. */
export function createBackplaneServer(listener: RequestListener): Server {
  const server = createServer(
    {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: connectionsCheckMs,
      maxHeaderSize: headerBytesMax,
    },
    listener,
  );
  server.timeout = idleTimeoutMs;
  server.maxConnections = connectionsMax;
  return server;
}
