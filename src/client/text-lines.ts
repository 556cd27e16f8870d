import { connected } from './exchange.ts';
import type { SilenceWatch } from './silence-watch.ts';

/**
 * The whole lines of an answer's body, those of each received piece together, without their newlines.
 * What stands behind the last newline is no line: it was cut. While the caller works on lines nothing is
 * read and nobody listens, so that a slow caller holds the service back and is not taken for a silence.
 */
export async function* textLines(
  { body }: Response,
  watch: SilenceWatch,
): AsyncGenerator<readonly string[]> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = body?.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  while (reader !== undefined) {
    watch.listen();
    const { done, value } = await connected(reader.read());
    watch.rest();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines;
  }
}
