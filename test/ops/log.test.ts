import assert from 'node:assert/strict';
import test from 'ava';
import { RepricerError } from '../../src/errors.ts';
import { createLog, type LogOptions } from '../../src/ops/log.ts';
import { HeldOutput } from './held-output.ts';

/** A log and a function that closes it and gives what was written. */
function setup(options: Partial<LogOptions> = {}) {
  const texts: string[] = [];
  const write = async (bytes: Buffer) => {
    texts.push(bytes.toString());
  };
  const log = createLog({ level: 'info', write, isTerminal: false, ...options });
  const written = async () => {
    await log.close();
    return texts.join('');
  };
  return { log, written };
}

async function parsedLines(written: () => Promise<string>): Promise<Record<string, unknown>[]> {
  return (await written())
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  assert(typeof value === 'object');
  return { ...value };
}

test('every line for machines says which service it is of, and none for a person does', async (t) => {
  const identity = { service: 'prices', version: '1.2.3', environment: 'production' };
  const machine = setup({ identity });
  const person = setup({ identity, isTerminal: true });

  for (const { log } of [machine, person]) {
    log.info('stopped');
    log.error('the stop failed too', { error: new Error('x') });
  }

  for (const line of await parsedLines(machine.written)) t.like(line, identity);
  t.notRegex(await person.written(), /prices|1\.2\.3|production/);
});

test('a line is one JSON object: timestamp, level, message, then the fields', async (t) => {
  const { log, written } = setup();

  log.info('segment sealed', { file: 'a.ndjson', rows: 3, none: undefined });

  const text = await written();
  const timestamp = text.slice('{"timestamp":"'.length, '{"timestamp":"'.length + 24);
  t.is(new Date(timestamp).toISOString(), timestamp);
  t.is(
    text,
    `{"timestamp":"${timestamp}","level":"info","message":"segment sealed","file":"a.ndjson","rows":3}\n`,
  );
});

test('lines come in the order in which they were logged', async (t) => {
  const { log, written } = setup();

  for (let i = 0; i < 100; i++) log.info(`line ${i}`);

  const messages = (await parsedLines(written)).map((line) => line['message']);
  t.deepEqual(
    messages,
    Array.from({ length: 100 }, (_, i) => `line ${i}`),
  );
});

test('lines below the level are not written, and isEnabled() says which are', async (t) => {
  const { log, written } = setup({ level: 'warn' });

  log.error('e');
  log.warn('w');
  log.info('i');
  log.debug('d');

  t.deepEqual(
    (await parsedLines(written)).map((line) => line['message']),
    ['e', 'w'],
  );
  t.true(log.isEnabled('error') && log.isEnabled('warn'));
  t.false(log.isEnabled('info') || log.isEnabled('debug'));
});

test('an error is written with name, code, message and its causes, and a stack at level error only', async (t) => {
  const { log, written } = setup();
  const cause = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  const error = new RepricerError('STORAGE_FAILED', 'sync failed', { cause });

  log.warn('w', { error });
  log.error('e', { error });

  const [warning, failure] = await parsedLines(written);
  const causeFields = { name: 'Error', code: 'EIO', message: 'EIO: i/o error' };
  const fields = { name: 'RepricerError', code: 'STORAGE_FAILED', message: 'sync failed' };
  t.deepEqual(warning?.['error'], { ...fields, cause: causeFields });
  t.deepEqual(failure?.['error'], {
    ...fields,
    stack: error.stack,
    cause: { ...causeFields, stack: cause.stack },
  });
});

test('a cycle of causes ends', async (t) => {
  const { log, written } = setup();
  const error = new Error('round and round');
  error.cause = error;

  log.warn('w', { error });

  t.is((await written()).match(/round and round/g)?.length, 6);
});

test('a field that JSON cannot hold spoils neither its line nor its caller', async (t) => {
  const { log, written } = setup();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;

  log.info('m', { circle, big: 10n, deepBig: { big: 10n }, good: 1 });

  const [line] = await parsedLines(written);
  const { timestamp, ...rest } = line ?? {};
  t.is(typeof timestamp, 'string');
  t.deepEqual(rest, {
    level: 'info',
    message: 'm',
    circle: '(not writable as JSON)',
    big: '10',
    deepBig: '(not writable as JSON)',
    good: 1,
  });
});

for (const isTerminal of [false, true]) {
  test(`values from clients can neither break a line nor steer ${isTerminal ? 'a terminal' : 'its reader'}`, async (t) => {
    const { log, written } = setup({ isTerminal });
    const hostile = 'a\nb\rc\u001b[2Jd\u0085e\u009b2Jf\u007fg\u2028h\u2029"}\0';

    log.info(hostile, { value: hostile, [hostile]: 1, error: new Error(hostile) });

    const text = await written();
    t.is(text.indexOf('\n'), text.length - 1);
    t.notRegex(text.slice(0, -1), /[\p{Cc}\u2028\u2029]/u);
    if (!isTerminal) t.like(JSON.parse(text), { message: hostile, value: hostile, [hostile]: 1 });
  });
}

test('on a terminal a line is short and its level aligned', async (t) => {
  const { log, written } = setup({ isTerminal: true });

  log.info('ready', { port: 8080, dataDir: './data', detail: 'two words', none: undefined });
  log.error('failed');

  const [ready, failed] = (await written()).split('\n');
  t.regex(
    ready ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}ready port=8080 dataDir=\.\/data detail="two words"$/,
  );
  t.regex(failed ?? '', /^\d\d:\d\d:\d\d\.\d{3} ERROR failed$/);
});

test('on a terminal the stack of an error stands indented below its line, at level error only', async (t) => {
  const { log, written } = setup({ isTerminal: true });
  const error = new Error('two\nlines');

  log.warn('w', { error });
  log.error('e', { error });

  const [warning, failure, ...stack] = (await written()).trimEnd().split('\n');
  t.true(warning?.endsWith(' WARN  w error={"name":"Error","message":"two\\nlines"}'));
  t.true(failure?.endsWith(' ERROR e error={"name":"Error","message":"two\\nlines"}'));
  t.deepEqual(stack.slice(0, 2), ['    Error: two', '    lines']);
  t.true(stack.length > 2 && stack.every((line) => line.startsWith('    ')));
});

test('logging never waits for the reader: lines beyond the buffer are dropped, counted and told of', async (t) => {
  const output = new HeldOutput();
  const log = createLog({ level: 'info', write: output.write, isTerminal: false });
  const message = 'x'.repeat(16 * 1024);

  for (let i = 0; i < 200; i++) log.info(message);

  t.is(output.writesRunning, 1);
  t.true(log.droppedLines > 100);
  output.release();
  await output.begun(2);
  const [last = ''] = output.texts[1]?.trimEnd().split('\n').slice(-1) ?? [];
  t.like(JSON.parse(last), { level: 'warn', droppedLines: log.droppedLines });
});

test('a reader that is gone does not end the process', async (t) => {
  const { log, written } = setup({ write: () => Promise.reject(new Error('EPIPE')) });

  log.info('m');
  await written();

  t.is(log.droppedLines, 1);
});

test('close() returns although nobody reads, and lines logged afterwards are not written', async (t) => {
  const output = new HeldOutput();
  const log = createLog({ level: 'info', write: output.write, isTerminal: false });
  log.info('before');

  await log.close(1);
  t.notThrows(() => log.info('after'));
  output.release();
  await log.close(1);

  t.is(output.texts.length, 1);
  t.true(output.texts[0]?.includes('before'));
});
