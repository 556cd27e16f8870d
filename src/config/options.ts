import { packageVersion } from '../package-version.ts';
import { choice, integer, label, mebibyte, type Option, origins, text, toggle } from './option.ts';

/**
 * Every option, once: its flag, its environment variable, its help and its type come from here.
 *
 * `freeBytesMin` covers what is owed to the volume when writes stop: a block of 4 KiB for each record
 * of a full backlog (781 MiB by default), and the copy of the open segment that recovery makes.
 */
export const options = {
  dataDir: text('./data', 'Directory of the journal and of all that is made from it.'),
  host: text('127.0.0.1', 'Address that the service listens on; 0.0.0.0 is every IPv4 interface.'),
  tokensFile: text('', 'File of the tokens that clients need; see "repricer token create".'),
  allowAnonymous: toggle('Lets clients in without tokens on an address that others can reach.'),
  corsOrigin: origins('Origins whose pages may use the API in a browser; * is all of them.'),
  clientRate: integer(
    0,
    'requests',
    0,
    1_000_000,
    'How many requests, or lines of batches, each client may send a second; 0 is no limit.',
  ),
  clientBurst: integer(
    100,
    'requests',
    1,
    1_000_000,
    'How many of them a client that was quiet may send at once.',
  ),
  port: integer(8080, '', 0, 65_535, 'Port of the API; 0 takes any free one.'),
  backplanePort: integer(9102, '', 0, 65_535, 'Port of health and metrics; 0 takes any free one.'),
  admin: toggle('Lets operators seal, flush, stop writes and take snapshots on the backplane.'),
  queueMax: integer(
    1000,
    'records',
    1,
    100_000,
    'How many records wait or are being written at once; writes beyond are refused.',
  ),
  readsMax: integer(
    50,
    'requests',
    1,
    100_000,
    'How many GET requests each endpoint serves in parallel; those beyond are refused.',
  ),
  batchesMax: integer(
    4,
    'requests',
    1,
    1000,
    'How many batch requests are served in parallel; those beyond are refused.',
  ),
  batchLinesMax: integer(
    1000,
    'lines',
    1,
    5000,
    'How many lines of a batch are recorded together, and the most that an atomic one may have.',
  ),
  bodyBytesMax: integer(
    16_384,
    'bytes',
    256,
    mebibyte,
    'The longest body of a reprice request, and the longest line of a batch.',
  ),
  pageSizeMax: integer(
    1000,
    'records',
    1000,
    10_000,
    'How many records, or products, a page may have; clients may count on the 1000.',
  ),
  compress: toggle('Compresses large answers with gzip for clients that take it.'),
  segmentBytesMax: integer(
    64 * mebibyte,
    'bytes',
    4096,
    1024 * mebibyte,
    'A journal segment is sealed when it has grown to this size.',
  ),
  segmentAgeMaxMs: integer(
    3_600_000,
    'ms',
    1,
    86_400_000,
    'A journal segment is sealed at this age, so that readers see its records.',
  ),
  flushIntervalMs: integer(
    1000,
    'ms',
    1,
    3_600_000,
    'The shortest time from one round of appends to product files to the next.',
  ),
  checkpointIntervalMs: integer(
    10_000,
    'ms',
    1,
    3_600_000,
    'How often product files begin to be synced; a restart repeats what came since.',
  ),
  checkpointBytesMax: integer(
    64 * mebibyte,
    'bytes',
    4096,
    1024 * mebibyte,
    'Syncing begins sooner once this much was added.',
  ),
  backlogRecordsMax: integer(
    200_000,
    'records',
    1,
    10_000_000,
    'How many records wait in memory to be appended to product files.',
  ),
  backlogWaitMs: integer(
    5000,
    'ms',
    0,
    600_000,
    'How long a write waits for room among those records before it is refused.',
  ),
  lastPricesMax: integer(
    1_000_000,
    'products',
    1,
    16_000_000,
    'How many last prices are kept in memory; others are read from their files.',
  ),
  idempotencyWindowMs: integer(
    86_400_000,
    'ms',
    1000,
    31 * 86_400_000,
    'How long an idempotency key stands for the request that it was first sent with.',
  ),
  idempotencyKeysMax: integer(
    100_000,
    'keys',
    1,
    10_000_000,
    'How many of them are known at once; the oldest are forgotten first.',
  ),
  freeBytesMin: integer(
    1024 * mebibyte,
    'bytes',
    0,
    1024 * 1024 * mebibyte,
    'Writes stop when the volume has less room; 0 lets them fill it.',
  ),
  streamSubscribersMax: integer(
    1000,
    'subscribers',
    1,
    100_000,
    'How many streams of the feed are open at once; those beyond are refused.',
  ),
  // Both end below the 65 s after which the server closes a connection on which nothing moves.
  streamHeartbeatMs: integer(
    15_000,
    'ms',
    1,
    60_000,
    'After so long without an event a stream is sent a comment.',
  ),
  streamStallMs: integer(
    60_000,
    'ms',
    1,
    60_000,
    'A subscriber that does not take what it was sent for so long is dropped.',
  ),
  connectionsMax: integer(
    2000,
    'connections',
    1,
    100_000,
    'How many connections are open at once; those beyond are closed at once.',
  ),
  requestTimeoutMs: integer(
    15_000,
    'ms',
    1,
    3_600_000,
    'A request must have been received whole within this time.',
  ),
  shutdownTimeoutMs: integer(
    30_000,
    'ms',
    1,
    3_600_000,
    'How long a stop may take to finish accepted work before it is forced.',
  ),
  logLevel: choice(
    ['error', 'warn', 'info', 'debug'],
    'info',
    'The least severe level that is logged.',
  ),
  serviceName: label(
    'repricer',
    'What the service is called in health and in each line of the log.',
  ),
  serviceVersion: label(packageVersion, 'Its version there.'),
  environment: label('development', 'Where it runs, such as production, in the same places.'),
  profiling: toggle(
    'Lets the backplane take profiles of processor and heap: POST /profile/cpu, heap.',
  ),
};

export type OptionName = keyof typeof options;

type ValueOf<AnOption> = AnOption extends Option<infer Value> ? Value : never;

/** What an operator decides. Sizes are bytes, times are milliseconds. */
export type Config = { readonly [Name in OptionName]: ValueOf<(typeof options)[Name]> };

export interface ServiceAddress extends Pick<Config, 'dataDir' | 'host' | 'backplanePort'> {
  /** For what the service lets operators do; undefined when none was given. */
  readonly token?: string | undefined;
}

/** The variable of that token; there is no flag for it, as everybody on a machine can read those. */
export const tokenVariable = 'REPRICER_TOKEN';

export const optionNames = Object.keys(options).filter(isOptionName);

export function flagOf(name: OptionName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function variableOf(name: OptionName): string {
  return `REPRICER_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}
