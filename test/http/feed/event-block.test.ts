import test from 'ava';
import { EventBlock } from '../../../src/http/feed/event-block.ts';
import { productId, RecordSource } from '../../support/records.ts';

test('bytes that were handed out never change while the block grows', (t) => {
  const source = new RecordSource();
  const block = new EventBlock(1);
  const handedOut: { readonly bytes: Buffer; readonly text: string }[] = [];

  for (let seq = 1; seq <= 300; seq += 1) {
    for (const record of source.batch(`product-${seq % 3}`)) block.add(record);
    const { bytes, count } = block.from(1, new Set());
    handedOut.push({ bytes, text: bytes.toString() });
    t.is(count, seq);
  }

  for (const { bytes, text } of handedOut) t.is(bytes.toString(), text);
  const last = handedOut.at(-1)?.text ?? '';
  t.is(last.split('event: price\n').length - 1, 300);
});

test('the events of some products are those of all without the others', (t) => {
  const block = new EventBlock(1);
  for (const record of new RecordSource().batch('a', 'b', 'c', 'a')) block.add(record);
  const wanted = new Set([productId('a'), productId('c')]);

  const { bytes, count } = block.from(2, wanted);

  t.is(count, 2);
  t.deepEqual(bytes.toString().match(/^id: \d+$/gm), ['id: 3', 'id: 4']);
});
