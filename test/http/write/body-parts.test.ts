import test from 'ava';
import fc from 'fast-check';
import type { BodyPart, BodySplitter } from '../../../src/http/write/body-parts.ts';
import { JsonArrayElements } from '../../../src/http/write/json-array-elements.ts';
import { NdjsonLines } from '../../../src/http/write/ndjson-lines.ts';

const bytesMax = 1000;

test('an array is cut into its elements, however it is written and wherever it is torn', (t) => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), indent, cuts, (values, space, at) => {
      const text = ` \n${JSON.stringify(values, undefined, space)}\r\n`;

      const parts = split(new JsonArrayElements(100_000), tear(Buffer.from(text), at));

      t.deepEqual(
        parts.map(textOf).map((part) => JSON.parse(part) as unknown),
        JSON.parse(JSON.stringify(values)),
      );
      t.deepEqual(
        parts.map(({ number }) => number),
        values.map((_, index) => index + 1),
      );
    }),
  );
});

test('NDJSON is cut into its lines wherever it is torn, and blank ones count', (t) => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), end, cuts, (values, newline, at) => {
      const text = values.map((value) => `${JSON.stringify(value)}${newline}\t${newline}`).join('');

      const parts = split(new NdjsonLines(100_000), tear(Buffer.from(text), at));

      t.deepEqual(
        parts.map(textOf).map((part) => JSON.parse(part) as unknown),
        JSON.parse(JSON.stringify(values)),
      );
      t.deepEqual(
        parts.map(({ number }) => number),
        values.map((_, index) => 1 + 2 * index),
      );
    }),
  );
});

test('a last line without a newline is a line', (t) => {
  t.deepEqual(split(new NdjsonLines(bytesMax), [Buffer.from('1\n2')]).map(textOf), ['1', '2']);
});

for (const [text, reasons] of [
  ['', ['it ends before the array does']],
  ['{"a":1}', ['it is no array']],
  ['"["', ['it is no array']],
  ['[1,2', ['1', 'it ends before the array does']],
  ['["]', ['it ends before the array does']],
  ['[] []', ['something follows the array']],
  ['[1]x', ['1', 'something follows the array']],
  ['[1}', ['a bracket does not fit']],
  ['[{"a":1}}', ['a bracket does not fit']],
  ['[]', []],
  ['[1,]', ['1', '']],
  ['[,]', ['', '']],
] as const) {
  test(`the array ${JSON.stringify(text)} is cut as far as it is one`, (t) => {
    const parts = split(new JsonArrayElements(bytesMax), [Buffer.from(text)]);

    t.deepEqual(
      parts.map((part) =>
        'bytes' in part ? textOf(part) : /\((.*)\)/.exec(part.error.message)?.[1],
      ),
      [...reasons],
    );
  });
}

test('a part that is too long is one error, is kept nowhere, and the next one is good', (t) => {
  const long = 'x'.repeat(bytesMax + 1);

  for (const [splitter, text] of [
    [new NdjsonLines(bytesMax), `1\n${long}\n2\n`],
    [new JsonArrayElements(bytesMax), `[1,"${long}",2]`],
  ] as const) {
    const parts = split(splitter, tear(Buffer.from(text), [300, 700]));

    t.deepEqual(
      parts.map((part) => ('bytes' in part ? textOf(part) : part.error.code)),
      ['1', 'BODY_TOO_LARGE', '2'],
    );
  }
});

const indent = fc.constantFrom(undefined, 1, '\t\n');
const end = fc.constantFrom('\n', '\r\n');
const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 6 });

function tear(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
  const bounds = [0, ...at.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
  return bounds.slice(1).map((stop, index) => bytes.subarray(bounds[index], stop));
}

function split(splitter: BodySplitter, chunks: readonly Buffer[]): readonly BodyPart[] {
  return [...chunks.flatMap((chunk) => splitter.take(chunk)), ...splitter.end()];
}

function textOf(part: BodyPart): string {
  if ('error' in part) throw part.error;
  return part.bytes.toString().trim();
}
