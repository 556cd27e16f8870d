import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import test from 'ava';
import { residentBytes } from '../crash/process-state.ts';
import { ChildService } from '../support/child-service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** `npm run memory:batch` does it with a million. */
const lines = Number(process.env['LINES'] ?? 100_000);
const blockLines = 1000;
const mebibyte = 1 << 20;
const grownBytesMax = 20 * mebibyte;

test('a batch of very many lines is recorded and answered line by line, in memory that does not grow with it', async (t) => {
  const directory = await temporaryDirectory(t);
  const limits = ['--backlog-records-max', '5000', '--last-prices-max', '1000'];
  // The room for young objects grows with how many there are at a time, by more than what is looked for here.
  const env = { NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=4' };
  const service = await ChildService.start(t, directory, limits, { env });
  const request = http.request({
    ...{ port: service.port, method: 'POST', path: '/api/reprice/batch', agent: false },
    headers: { 'content-type': 'application/x-ndjson' },
  });
  const results = new Results(() => residentBytes(service.pid, 'now'));

  const answered = once(request, 'response').then(([response]) =>
    results.read(response as http.IncomingMessage),
  );
  await pipeline(Readable.from(body(), { objectMode: false }), request);
  await answered;

  const [first, grown] = [results.bytesAtFirst, results.grownBytes].map((bytes) =>
    Math.round(bytes / mebibyte),
  );
  t.log(`${results.count} lines; resident ${first} MiB after a tenth, then ${grown} MiB more`);
  t.is(results.count, lines);
  t.deepEqual(results.odd, []);
  t.true(results.grownBytes < grownBytesMax, `it grew by ${results.grownBytes} bytes`);
  t.is((await service.kill('SIGTERM')).code, 0);
});

/** About 230 bytes a line. */
function* body(): Generator<string> {
  const reason = 'x'.repeat(180);
  for (let first = 0; first < lines; first += blockLines) {
    const block = Array.from(
      { length: Math.min(blockLines, lines - first) },
      (_, at) => `{"productId":"p${at % 100}","price":${first + at + 1}.25,"reason":"${reason}"}\n`,
    );
    yield block.join('');
  }
}

/** Counts the lines of an answer, and looks at the memory of who sends them: from a tenth of them on it may not grow. */
class Results {
  readonly odd: string[] = [];
  readonly #bytesNow: () => number;
  bytesAtFirst = 0;
  count = 0;
  grownBytes = 0;

  constructor(bytesNow: () => number) {
    this.#bytesNow = bytesNow;
  }

  async read(response: http.IncomingMessage): Promise<void> {
    let rest = '';
    for await (const text of response.setEncoding('utf8')) {
      const parts = (rest + String(text)).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) this.#take(line);
    }
  }

  #take(line: string): void {
    this.count += 1;
    const expected = `{"line":${this.count},"status":202,"seq":${this.count},`;
    if (!line.startsWith(expected) && this.odd.length < 10) this.odd.push(line);
    if (this.count % blockLines !== 0 || this.count < lines / 10) return;
    const bytes = this.#bytesNow();
    if (this.bytesAtFirst === 0) this.bytesAtFirst = bytes;
    this.grownBytes = Math.max(this.grownBytes, bytes - this.bytesAtFirst);
  }
}
