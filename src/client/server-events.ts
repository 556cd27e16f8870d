import type { SilenceWatch } from './silence-watch.ts';
import { textLines } from './text-lines.ts';

/** A block of a stream of server-sent events (WHATWG HTML, section 9.2): an event when it has data. */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string | undefined;
}

/** The whole blocks of a stream, whose lines end in `\n`; one that was cut is none. */
export async function* serverEvents(
  response: Response,
  watch: SilenceWatch,
): AsyncGenerator<ServerEvent> {
  let block: string[] = [];
  for await (const lines of textLines(response, watch)) {
    for (const line of lines) {
      if (line !== '') {
        block.push(line);
        continue;
      }
      yield readBlock(block);
      block = [];
    }
  }
}

function readBlock(lines: readonly string[]): ServerEvent {
  const valuesOf = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  const data = valuesOf('data');
  return {
    id: valuesOf('id').at(-1),
    type: valuesOf('event').at(-1) ?? 'message',
    data: data.length === 0 ? undefined : data.join('\n'),
  };
}
