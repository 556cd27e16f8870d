import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { offer } from './offer.ts';

/*
 * Answers every request with the segments of a journal, byte for byte and in order, by Node's own
 * pipeline: what a stream of the same records could reach at most. Its argument is the data directory.
 */

const [directory = ''] = process.argv.slice(2);
const results = join(directory, 'results');
const entries = await readdir(results, { recursive: true });
const segments = entries.filter((name) => name.endsWith('.ndjson')).sort();

const server = createServer((_, response) => {
  sendAll(response).catch((error: unknown) => response.destroy(error as Error));
});
await offer(server);

async function sendAll(response: ServerResponse): Promise<void> {
  response.setHeader('Content-Type', 'application/x-ndjson');
  await pipeline(allBytes, response);
}

async function* allBytes(): AsyncGenerator<Buffer> {
  for (const segment of segments) yield* createReadStream(join(results, segment));
}
