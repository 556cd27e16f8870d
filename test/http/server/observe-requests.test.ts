import test from 'ava';
import { RepricerError } from '../../../src/errors.ts';
import { ask, exchange, post, startService } from '../http-fixture.ts';

const good = '{"productId":"foo","price":3.55}';

test('every request is one line that names its route and not only its path', async (t) => {
  const service = await startService(t);

  await ask(service, '/api/v1/product/a%2Fb/price?x=secret');

  t.is(service.log.lines.length, 1);
  const [line] = service.log.lines;
  const { durationMs, traceId, spanId, ...fields } = line?.fields ?? {};
  t.is(line?.level, 'info');
  t.deepEqual(fields, {
    method: 'GET',
    route: '/api/product/:productId/price',
    path: '/api/v1/product/a%2Fb/price',
    status: 400,
    code: 'BAD_REQUEST',
  });
  t.is(typeof durationMs, 'number');
  t.regex(String(traceId), /^[0-9a-f]{32}$/);
  t.regex(String(spanId), /^[0-9a-f]{16}$/);
});

test('the client’s trace is continued, logged and answered', async (t) => {
  const service = await startService(t);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

  const { headers } = await post(service, good, { traceparent });

  const fields = service.log.lines[0]?.fields ?? {};
  t.is(fields['traceId'], traceId);
  t.not(fields['spanId'], '00f067aa0ba902b7');
  t.is(headers['traceresponse'], `00-${traceId}-${String(fields['spanId'])}-01`);
});

test('a trace that is not one is replaced', async (t) => {
  const service = await startService(t);

  const { headers } = await ask(service, '/api/nothing', { headers: { traceparent: 'x' } });

  t.regex(String(headers['traceresponse']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
});

test('a path is logged without its query, and a long one is cut', async (t) => {
  const service = await startService(t);

  await ask(service, '/a"b?token=secret');
  await ask(service, `/${'x'.repeat(1000)}`);

  t.deepEqual(
    service.log.lines.map(({ fields }) => fields['path']),
    ['/a"b', `/${'x'.repeat(255)}`],
  );
});

test('a path that could end a line or steer a terminal does not get as far as the log', async (t) => {
  const service = await startService(t);

  for (const byte of [0x00, 0x09, 0x1b, 0x7f, 0x85, 0x9b, 0xff]) {
    const target = Buffer.from([
      ...Buffer.from('GET /a'),
      byte,
      ...Buffer.from('b HTTP/1.1\r\n\r\n'),
    ]);
    t.regex(await exchange(service, target), /^HTTP\/1.1 400 /);
  }

  t.deepEqual(service.log.lines, []);
});

test('the level of a line follows the status', async (t) => {
  const service = await startService(t);
  const failures = [
    [new RepricerError('UNKNOWN_PRODUCT', 'x'), 'info'],
    [new RepricerError('TOO_MANY_READS', 'x'), 'warn'],
    [new RepricerError('NO_SPACE', 'x'), 'warn'],
    [new Error('x'), 'error'],
  ] as const;

  for (const [failure, level] of failures) {
    service.ledger.current = failure;
    await ask(service, '/api/query');
    t.is(service.log.lines.at(-1)?.level, level);
  }
  t.is(service.log.lines.length, failures.length);
});

test('a log that takes no information gets only failures', async (t) => {
  const service = await startService(t);
  service.log.isInfoEnabled = false;

  await ask(service, '/api/query');
  service.ledger.current = new Error('x');
  await ask(service, '/api/query');

  t.deepEqual(
    service.log.lines.map(({ level }) => level),
    ['error'],
  );
});

test('requests are measured by route, with the same label in every version of the API', async (t) => {
  const service = await startService(t);

  await post(service, good);
  await ask(service, '/api/product/a/price');
  await ask(service, '/api/v1/product/b/price');
  await ask(service, '/api/query', { method: 'DELETE' });
  await ask(service, '/nothing/here');

  t.deepEqual(
    service.observed.map(({ method, route, status }) => `${method} ${route} ${status}`),
    [
      'POST /api/reprice 202',
      'GET /api/product/:productId/price 200',
      'GET /api/product/:productId/price 200',
      'DELETE /api/query 405',
      'GET unmatched 404',
    ],
  );
  t.true(service.observed.every(({ seconds }) => seconds >= 0 && seconds < 10));
});

test('an answer that fails where no problem can be made of it is logged as ours', async (t) => {
  const service = await startService(t);
  const error = new Error('no room for another series');
  service.observed.push = () => {
    throw error;
  };

  const { status, text } = await ask(service, '/api/query');

  t.is(status, 500);
  t.is(text, 'Internal Server Error');
  t.deepEqual(
    service.log.lines.map(({ level, fields }) => [level, fields['error']]),
    [['error', error]],
  );
});
