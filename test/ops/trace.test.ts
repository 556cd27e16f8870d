import test from 'ava';
import { formatTraceparent, parseTraceparent, Traces } from '../../src/ops/trace.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';

test('a valid header gives its trace id and flags', (t) => {
  t.deepEqual(parseTraceparent(`00-${traceId}-${parentId}-01`), { traceId, flags: '01' });
  t.deepEqual(parseTraceparent(`00-${traceId}-${parentId}-00`), { traceId, flags: '00' });
});

test('of the flags only the one that says “recorded” is passed on', (t) => {
  t.is(parseTraceparent(`00-${traceId}-${parentId}-ff`)?.flags, '01');
  t.is(parseTraceparent(`00-${traceId}-${parentId}-02`)?.flags, '00');
});

test('a later version is read as far as version 00 goes', (t) => {
  t.deepEqual(parseTraceparent(`cc-${traceId}-${parentId}-01`), { traceId, flags: '01' });
  t.deepEqual(parseTraceparent(`cc-${traceId}-${parentId}-01-more-of-it`), {
    traceId,
    flags: '01',
  });
});

for (const [fault, header] of [
  ['is absent', undefined],
  ['is empty', ''],
  ['has version ff', `ff-${traceId}-${parentId}-01`],
  ['has version 00 and more fields', `00-${traceId}-${parentId}-01-more`],
  ['has version 00 and a dash at the end', `00-${traceId}-${parentId}-01-`],
  ['has a later version and more text that is no field', `cc-${traceId}-${parentId}-01more`],
  ['has a trace id of zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['has a parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['has upper-case digits', `00-${traceId.toUpperCase()}-${parentId}-01`],
  ['has a short trace id', `00-${traceId.slice(1)}-${parentId}-01`],
  ['has a long parent id', `00-${traceId}-${parentId}0-01`],
  ['has letters beyond f', `00-${traceId.replace('4', 'g')}-${parentId}-01`],
  ['has a line after it', `00-${traceId}-${parentId}-01\n`],
  ['has space before it', ` 00-${traceId}-${parentId}-01`],
] as const) {
  test(`a header that ${fault} is refused`, (t) => {
    t.is(parseTraceparent(header), undefined);
  });
}

test('a caller’s trace is continued under a span of our own', (t) => {
  const trace = new Traces().start(`00-${traceId}-${parentId}-01`);

  t.is(trace.traceId, traceId);
  t.is(trace.flags, '01');
  t.regex(trace.spanId, /^[0-9a-f]{16}$/);
  t.not(trace.spanId, parentId);
});

test('without a valid header a trace begins that nobody records yet', (t) => {
  const [one, other] = [new Traces().start(undefined), new Traces().start('nonsense')];

  t.is(one.flags, '00');
  t.not(one.traceId, other.traceId);
  t.not(one.spanId, other.spanId);
  t.not(one.traceId.slice(0, 16), one.spanId);
});

test('a trace is written as a header that the next service accepts', (t) => {
  const trace = new Traces().start(undefined);

  const header = formatTraceparent(trace);

  t.is(header, `00-${trace.traceId}-${trace.spanId}-00`);
  t.deepEqual(parseTraceparent(header), { traceId: trace.traceId, flags: '00' });
});
