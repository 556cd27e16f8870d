import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeBatch } from './batch-text.ts';
import type { UploadJob, UploadResult } from './load-job.ts';
import { watchOwnCpu } from './own-cpu.ts';

/** Sends one long batch and reads its answer meanwhile. Rejects when a line was refused, or has no answer. */
export async function upload({ port, records, products }: UploadJob): Promise<UploadResult> {
  const chunks = makeBatch(records, products);
  const startMs = performance.now();
  const cpu = watchOwnCpu();
  const outgoing = request({
    ...{ host: '127.0.0.1', port, method: 'POST', path: '/api/reprice/batch' },
    headers: { 'Content-Type': 'application/x-ndjson' },
  });
  const answered = once(outgoing, 'response').then(([response]) =>
    countAnswers(response as IncomingMessage),
  );
  const [answers] = await Promise.all([answered, pipeline(Readable.from(chunks), outgoing)]);
  const seconds = (performance.now() - startMs) / 1000;
  if (answers !== records) throw new Error(`${records} lines got ${answers} answers`);
  return { answers, seconds, clientCpu: cpu() };
}

async function countAnswers(response: IncomingMessage): Promise<number> {
  if (response.statusCode !== 200) throw new Error(`a batch got ${response.statusCode}`);
  let answers = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (chunk.includes('"problem"')) throw new Error(`a line was refused: ${chunk}`);
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) answers += 1;
  }
  return answers;
}
