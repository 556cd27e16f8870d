import type { ServiceAddress } from '../config/options.ts';
import { RepricerError } from '../errors.ts';
import { decodeSnapshot, type Snapshot } from '../storage/snapshot.ts';

const askMs = 30_000;

/** The snapshot that the service which owns the data directory gives on its backplane. */
export async function askSnapshot({
  dataDir,
  host,
  backplanePort,
  token,
}: ServiceAddress): Promise<Snapshot> {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${backplanePort}/admin/snapshot`;
  const fail = (why: string, cause?: unknown) =>
    new RepricerError('DIRECTORY_LOCKED', `another process owns ${dataDir}, and ${url} ${why}`, {
      cause,
    });
  const response = await post(url, token).catch((error: unknown) => {
    throw fail('gave no answer; name the service with --host and --backplane-port', error);
  });
  if (response.status === 404) throw fail('is switched off; start the service with --admin');
  if (response.status === 401 || response.status === 403) {
    throw fail('wants a token with the scope "admin"; put it into REPRICER_TOKEN');
  }
  if (!response.ok) throw fail(`answered ${response.status}: ${response.text}`);
  const snapshot = decodeSnapshot(Buffer.from(response.text));
  if (snapshot === undefined) throw fail('answered something else');
  return snapshot;
}

async function post(url: string, token: string | undefined) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(askMs);
  const response = await fetch(url, { method: 'POST', headers, signal });
  return { ok: response.ok, status: response.status, text: await response.text() };
}
