import type { ExecutionContext } from 'ava';
import { RepricerClient, RepricerProblem, type RetryLimits } from 'repricer/client';
import {
  type LedgerService,
  type LedgerServiceParts,
  startLedgerService,
} from '../support/ledger-service.ts';
import { checkCleanStore } from '../support/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { UnrulyProxy } from './unruly-proxy.ts';

/** The limits of a client whose tests do not wait. */
export const hasty = { backoffMs: 1, backoffMsMax: 5, totalMs: 20_000 };

export interface ClientParts extends LedgerServiceParts {
  readonly retry?: Partial<RetryLimits>;
  readonly token?: string;
}

/** A client, a service on files, and between them a network that does what it is told. */
export interface ConnectedClient {
  readonly client: RepricerClient;
  readonly service: LedgerService;
  readonly proxy: UnrulyProxy;
  /** Stops the service and checks what it stored. */
  readonly end: () => Promise<void>;
}

export async function connectClient(
  t: ExecutionContext,
  { retry, token, ...parts }: ClientParts = {},
): Promise<ConnectedClient> {
  const directory = await temporaryDirectory(t);
  // A client's lines in flight must not be forgotten, as they are not by default.
  const keys = { idempotencyKeysMax: 100_000 };
  const service = await startLedgerService(t, directory, { keys, ...parts });
  const proxy = await UnrulyProxy.open(t, service.port);
  const client = new RepricerClient(proxy.url, { token, retry: { ...hasty, ...retry } });
  const end = async () => {
    await service.stop();
    await checkCleanStore(t, directory);
  };
  return { client, service, proxy, end };
}

/** The problem that a call is refused with. */
export function problemOf(t: ExecutionContext, call: Promise<unknown>): Promise<RepricerProblem> {
  return t.throwsAsync(call, { instanceOf: RepricerProblem });
}

export async function collect<Value>(values: AsyncIterable<Value>): Promise<readonly Value[]> {
  const collected: Value[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

/** The first `count` of them; then they are left. */
export async function taken<Value>(
  values: AsyncIterable<Value>,
  count: number,
): Promise<readonly Value[]> {
  const some: Value[] = [];
  for await (const value of values) if (some.push(value) === count) break;
  return some;
}
