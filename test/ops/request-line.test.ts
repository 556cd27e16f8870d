import test from 'ava';
import fc from 'fast-check';
import { jsonLineFormat } from '../../src/ops/log-line.ts';
import { type RequestFields, requestLineFormat } from '../../src/ops/request-line.ts';

const words = fc.stringMatching(/^[a-z/:-]{1,12}$/);
/** What Node's parser lets into a target. */
const paths = fc.stringMatching(/^\/[!-~]{0,20}$/);
const hex = fc.stringMatching(/^[0-9a-f]{16}$/);

const fields: fc.Arbitrary<RequestFields> = fc.record(
  {
    method: fc.constantFrom('GET', 'POST', 'HEAD'),
    route: words,
    path: paths,
    status: fc.integer({ min: 200, max: 599 }),
    durationMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    traceId: hex,
    spanId: hex,
    actor: fc.string({ minLength: 1, maxLength: 5 }),
  },
  { requiredKeys: ['method', 'route', 'path', 'status', 'durationMs', 'traceId', 'spanId'] },
);
const identities = fc.record({ service: words, environment: words }, { requiredKeys: [] });
const times = fc.array(fc.integer({ min: 1_795_000_000_000, max: 1_795_000_000_002 }), {
  minLength: 1,
  maxLength: 5,
});

test('the line of a request is the one that any line with its fields would be', (t) => {
  fc.assert(
    fc.property(fields, identities, times, (request, identity, nowMs) => {
      const one = requestLineFormat(identity);
      const any = jsonLineFormat(identity);

      const lines = nowMs.map((now) => one(now, request));

      const entry = { level: 'info', message: 'request', fields: request };
      t.deepEqual(
        lines,
        nowMs.map((now) => any({ ...entry, timestamp: new Date(now) })),
      );
    }),
  );
});
