import { Readable } from 'node:stream';
import type { PriceRecord } from '../../model/price-record.ts';

/** How records are written into a stream. */
export interface StreamForm {
  readonly header: string;
  readonly present: (record: PriceRecord) => string;
}

/**
 * All records of a range as one text, whose blocks are read at the pace of its reader.
 *
 * What goes wrong before the first block rejects, so that it can be answered. What goes wrong later is
 * told to `onFailure` and destroys the stream, and with it the connection: a part must never look like
 * the whole.
 */
export async function streamRange(
  blocks: AsyncGenerator<readonly PriceRecord[], void, void>,
  { header, present }: StreamForm,
  onFailure: (error: unknown) => void,
): Promise<Readable> {
  const first = await blocks.next();
  const nextBlock = () =>
    blocks.next().catch((error: unknown) => {
      onFailure(error);
      throw error;
    });
  async function* texts(): AsyncGenerator<string, void, void> {
    yield header;
    for (let block = first; block.done !== true; block = await nextBlock()) {
      yield block.value.map(present).join('');
    }
  }
  return Readable.from(texts(), { objectMode: false });
}
