import type { ServiceAddress } from '../config/options.ts';
import { RepricerError } from '../errors.ts';
import { decodeSnapshot, type Snapshot } from '../storage/snapshot.ts';

const askMs = 30_000;

/** The snapshot that the service which owns the data directory gives on its backplane. */
export async function askSnapshot({
  dataDir,
  host,
  backplanePort,
}: ServiceAddress): Promise<Snapshot> {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${backplanePort}/admin/snapshot`;
  const fail = (why: string, cause?: unknown) =>
    new RepricerError('DIRECTORY_LOCKED', `another process owns ${dataDir}, and ${url} ${why}`, {
      cause,
    });
  const response = await post(url).catch((error: unknown) => {
    throw fail('gave no answer; name the service with --host and --backplane-port', error);
  });
  if (response.status === 404) throw fail('is switched off; start the service with --admin');
  if (!response.ok) throw fail(`answered ${response.status}: ${response.text}`);
  const snapshot = decodeSnapshot(Buffer.from(response.text));
  if (snapshot === undefined) throw fail('answered something else');
  return snapshot;
}

async function post(url: string) {
  const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(askMs) });
  return { ok: response.ok, status: response.status, text: await response.text() };
}
