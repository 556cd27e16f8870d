import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { nodeFileSystem, type OpenFile } from '../../src/files/file-system.ts';
import { findLine, type Line, lastLine, readLines, wholeLinesEnd } from '../../src/files/lines.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const lineBytesMax = 64;

/** Lines in increasing order of their first nine digits, of many lengths up to the longest. */
const sortedLines = fc
  .array(fc.tuple(fc.nat(1e9 - 1), fc.nat(lineBytesMax - 10)), { minLength: 1, maxLength: 200 })
  .map((pairs) =>
    pairs
      .map(([key, extra]) => `${String(key).padStart(9, '0')}${'x'.repeat(extra)}`)
      .sort((a, b) => keyOf(a) - keyOf(b)),
  );

test('binary search finds the line that a walk from the beginning finds', async (t) => {
  await fc.assert(
    fc.asyncProperty(sortedLines, fc.nat(1e9), async (lines, wanted) => {
      const text = lines.map((line) => `${line}\n`).join('');
      const found = await withFile(t, text, (file) =>
        findLine(file, text.length, lineBytesMax, (line) => keyOf(line.bytes.toString()) >= wanted),
      );
      const index = lines.findIndex((line) => keyOf(line) >= wanted);
      t.is(found?.bytes.toString(), lines[index]);
      t.is(found?.offset, index === -1 ? undefined : text.indexOf(lines.slice(index).join('\n')));
    }),
    { numRuns: 60 },
  );
});

test('a search in a thousand times as many lines reads about ten more pieces', async (t) => {
  const reads = async (count: number) => {
    const files = new FaultyFiles();
    const text = Array.from(
      { length: count },
      (_, key) => `${String(key).padStart(9, '0')}\n`,
    ).join('');
    const path = await fileWith(t, text);
    const file = await files.open(path, 'read');
    await findLine(
      file,
      text.length,
      lineBytesMax,
      (line) => keyOf(line.bytes.toString()) >= count / 3,
    );
    await file.close();
    return files.calls('read').length;
  };

  const [few, many] = [await reads(1000), await reads(1_000_000)];

  t.true(many - few <= 12, `${few} and ${many} reads`);
  t.true(few > 0);
});

test('lines come whole and in order, wherever the blocks end that they are read in', async (t) => {
  const lines = Array.from({ length: 60_000 }, (_, index) => `${index}${'y'.repeat(index % 50)}`);
  const text = `${lines.join('\n')}\n`;

  const read = await withFile(t, text, (file) => allLines(file, text.length));

  t.true(text.length > 1 << 20, 'there is more than one block');
  t.deepEqual(
    read.map(({ bytes }) => bytes.toString()),
    lines,
  );
  t.true(read.every(({ isWhole }) => isWhole));
});

test('a last line without a newline is given, and not called whole', async (t) => {
  const read = await withFile(t, 'one\ntwo', (file) => allLines(file, 7));

  t.deepEqual(
    read.map(({ bytes, offset, isWhole }) => [bytes.toString(), offset, isWhole]),
    [
      ['one', 0, true],
      ['two', 4, false],
    ],
  );
});

test('bytes without a newline are given in pieces of bounded length', async (t) => {
  const text = `${'\0'.repeat(3 << 20)}\nlast\n`;

  const read = await withFile(t, text, (file) => allLines(file, text.length));

  t.true(read.length > 2);
  t.true(read.every(({ bytes }) => bytes.length <= (1 << 20) + lineBytesMax));
  t.is(Buffer.concat(read.map(({ bytes }) => bytes)).length, text.length - 2);
  t.is(read.at(-1)?.bytes.toString(), 'last');
});

test('the last line is found from the end', async (t) => {
  const text = 'one\ntwo\nthree\n';

  const line = await withFile(t, text, (file) => lastLine(file, text.length, lineBytesMax));

  t.like(line, { offset: 8, isWhole: true });
  t.is(line.bytes.toString(), 'three');
});

test('the end of the whole lines is after the last newline, at 0 in a part of a line, and unknown in what is no line', async (t) => {
  const endOf = (text: string) =>
    withFile(t, text, (file) => wholeLinesEnd(file, text.length, lineBytesMax));

  t.is(await endOf('one\ntwo\n'), 8);
  t.is(await endOf('one\ntw'), 4);
  t.is(await endOf('tw'), 0);
  t.is(await endOf(''), 0);
  t.is(await endOf(`one\n${'\0'.repeat(lineBytesMax + 1)}`), undefined);
});

function keyOf(line: string): number {
  return Number(line.slice(0, 9));
}

async function allLines(file: OpenFile, bytes: number): Promise<readonly Line[]> {
  const all: Line[] = [];
  for await (const lines of readLines(file, 0, bytes, lineBytesMax)) all.push(...lines);
  return all;
}

async function fileWith(t: ExecutionContext, text: string): Promise<string> {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, text);
  return path;
}

async function withFile<T>(
  t: ExecutionContext,
  text: string,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await nodeFileSystem.open(await fileWith(t, text), 'read');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
