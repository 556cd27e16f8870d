import test from 'ava';
import { LineWriter } from '../../src/ops/line-writer.ts';
import { HeldOutput } from './held-output.ts';

const kibibyte = 'x'.repeat(1023);

function setup() {
  const output = new HeldOutput();
  const lines = new LineWriter(output.write, (count) => `dropped ${count}`);
  return { output, lines };
}

function addKibibytes(lines: LineWriter, count: number): void {
  for (let i = 0; i < count; i++) lines.add(kibibyte);
}

async function afterTurns(turns: number, act: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  act();
}

test('a line is written soon after it was added, together with those that came meanwhile', async (t) => {
  const { output, lines } = setup();

  lines.add('one');
  lines.add('two');
  t.deepEqual(output.texts, []);
  await output.begun(1);

  t.deepEqual(output.texts, ['one\ntwo\n']);
});

test('16 KiB are written without waiting', (t) => {
  const { output, lines } = setup();

  addKibibytes(lines, 15);
  t.is(output.texts.length, 0);
  addKibibytes(lines, 1);

  t.is(output.texts[0]?.length, 16 * 1024);
});

test('one write runs at a time, and lines that come meanwhile share the next one', async (t) => {
  const { output, lines } = setup();
  addKibibytes(lines, 16);

  lines.add('one');
  addKibibytes(lines, 16);
  lines.add('two');
  t.is(output.writesRunning, 1);
  output.release();
  await output.begun(2);

  t.is(output.writesRunning, 1);
  t.is(output.texts[1], `one\n${`${kibibyte}\n`.repeat(16)}two\n`);
});

test('a few lines that come during a write wait for others again', async (t) => {
  const { output, lines } = setup();
  addKibibytes(lines, 16);

  lines.add('one');
  output.release();
  await new Promise((resolve) => setImmediate(resolve));
  t.is(output.texts.length, 1);
  lines.add('two');
  await output.begun(2);

  t.is(output.texts[1], 'one\ntwo\n');
});

for (let turns = 0; turns < 8; turns++) {
  test(`a line that comes ${turns} turns after a write began is written`, async (t) => {
    const line = 'x'.repeat(16 * 1024 - 1);
    let bytesWritten = 0;
    const bothWritten = new Promise<void>((resolve) => {
      const write = async (bytes: Buffer) => {
        bytesWritten += bytes.length;
        if (bytesWritten === 32 * 1024) resolve();
      };
      const lines = new LineWriter(write, String);
      lines.add(line);
      void afterTurns(turns, () => lines.add(line));
    });

    await bothWritten;

    t.is(bytesWritten, 32 * 1024);
  });
}

test('what waits and is being written never exceeds 1 MiB; lines beyond are dropped and counted', async (t) => {
  const { output, lines } = setup();

  addKibibytes(lines, 1024);
  t.is(lines.droppedLines, 0);
  addKibibytes(lines, 3);
  t.is(lines.droppedLines, 3);
  output.release();
  await output.begun(2);

  t.is(output.texts.join('').length, 1024 * 1024 + 'dropped 3\n'.length);
  t.is(output.texts.join('').match(/x\n/g)?.length, 1024);
});

test('lines that are written make room for others', async (t) => {
  const { output, lines } = setup();
  addKibibytes(lines, 1024);

  output.release();
  await output.begun(2);
  output.release();
  await lines.flushed(60_000);
  lines.add('y'.repeat(1024 * 1024 - 1));

  t.is(lines.droppedLines, 0);
});

test('the bound counts bytes, not characters', (t) => {
  const { lines } = setup();

  for (let i = 0; i < 1024; i++) lines.add('é'.repeat(1023));

  t.is(lines.droppedLines, 1024 - Math.floor((1024 * 1024) / 2047));
});

test('a reader that is back is told once how many lines were dropped, also when no more lines come', async (t) => {
  const { output, lines } = setup();
  addKibibytes(lines, 16);
  lines.add('y'.repeat(1024 * 1024));

  output.release();
  await output.begun(2);
  output.release();
  await lines.flushed(60_000);

  t.is(output.texts[1], 'dropped 1\n');
  t.is(output.texts.length, 2);
});

test('the lines of a failed write are counted, and told of once the reader takes lines again', async (t) => {
  const { output, lines } = setup();
  addKibibytes(lines, 16);
  lines.add('after');

  output.fail(new Error('EPIPE'));
  await output.begun(2);
  t.is(lines.droppedLines, 16);
  output.release();
  await lines.flushed(60_000);

  t.is(output.texts[1], 'after\ndropped 16\n');
  t.is(output.texts.length, 2);
});

test('a reader that is gone costs one write for each batch and no endless retries', async (t) => {
  const { output, lines } = setup();
  lines.add('one');
  await output.begun(1);

  output.fail(new Error('EPIPE'));
  await lines.flushed(60_000);
  lines.add('two');
  await output.begun(2);
  output.fail(new Error('EPIPE'));
  await lines.flushed(60_000);

  t.is(output.texts.length, 2);
  t.is(lines.droppedLines, 2);
});

test('flushed() waits until the last line is written', async (t) => {
  const { output, lines } = setup();
  lines.add('one');
  let isFlushed = false;

  const flushed = lines.flushed(60_000).then(() => {
    isFlushed = true;
  });
  t.deepEqual(output.texts, ['one\n']);
  lines.add('two');
  output.release();
  await output.begun(2);
  t.false(isFlushed);
  output.release();
  await flushed;

  t.true(isFlushed);
});

test('flushed() gives up on a reader that never takes the lines', async (t) => {
  const { output, lines } = setup();
  lines.add('one');

  await lines.flushed(1);

  t.is(output.writesRunning, 1);
});
