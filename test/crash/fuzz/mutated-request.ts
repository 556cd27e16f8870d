import type { FastRandom } from '../../support/fast-random.ts';

/** A request before it is put together. */
interface Parts {
  method: string;
  target: string;
  version: string;
  headers: Header[];
  body: string;
}

/**
 * A good request of this API with up to two things changed in it; one in four stays as it is. In latin1.
 * A write asks for `price`, unless just that is changed.
 *
 * One in ten is changed where HTTP itself may break, which ends a connection for all that come behind.
 */
export function mutatedRequest(random: FastRandom, price: string): string {
  const parts = random.isOneIn(3) ? read(random) : reprice(random, price);
  if (random.isOneIn(4)) return assemble(parts);
  random.pick(rules)(parts, random);
  if (random.isOneIn(2)) random.pick(rules)(parts, random);
  if (!random.isOneIn(8)) return assemble(parts);
  if (random.isOneIn(2)) random.pick(framing)(parts, random);
  const text = assemble(parts);
  return random.isOneIn(2) ? random.pick(bytes)(text, random) : text;
}

function reprice(random: FastRandom, price: string): Parts {
  const body = `{"productId":"p${random.integer(100)}","price":${price}}`;
  return {
    method: 'POST',
    target: random.isOneIn(2) ? '/api/reprice' : '/api/v1/reprice',
    version: 'HTTP/1.1',
    headers: [
      ['Host', 'localhost'],
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
    ],
    body,
  };
}

function read(random: FastRandom): Parts {
  const product = `p${random.integer(100)}`;
  const targets = [`/api/product/${product}/price`, `/api/query?productId=${product}&pageSize=2`];
  return {
    method: 'GET',
    target: random.pick(targets),
    version: 'HTTP/1.1',
    headers: [['Host', 'localhost']],
    body: '',
  };
}

function assemble({ method, target, version, headers, body }: Parts): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${target} ${version}\r\n${lines}\r\n${body}`;
}

type PartMutation = (parts: Parts, random: FastRandom) => void;

/** HEAD is left out: nothing on the wire tells that its answer has no body. */
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PATCH'];

const targets = [
  ...[
    '/',
    '//',
    '*',
    '',
    '/api/%00',
    '/api/product/%/price',
    '/api/product/%ff/price',
    '/%2e%2e/x',
  ],
  ...[
    '/api/product/__proto__/price',
    'http://localhost/api/query',
    'http://[/',
    '/api/reprice?a=1',
  ],
  ...[
    '/api/query?from=x',
    '/api/query?pageSize=1e9',
    `/${'a'.repeat(5000)}`,
    '/api/query?%zz&&&==',
  ],
];

type Header = readonly [name: string, value: string];

const ruleHeaders: readonly Header[] = [
  ['Content-Encoding', 'gzip'],
  ['Content-Type', 'text/plain'],
  ['Content-Type', `application/json;${' '.repeat(5000)}x`],
  ['Connection', 'upgrade'],
  ['Upgrade', 'websocket'],
  ['Expect', '100-continue'],
  ['Expect', 'nothing'],
  ['Accept', 'text/html'],
  ['If-None-Match', '*'],
  ['If-None-Match', '"1"'],
  ['Prefer', 'return=representation'],
  ['traceparent', '00-x'],
];

const framingHeaders: readonly Header[] = [
  ['Host', 'another'],
  ['Content-Length', '0'],
  ['Content-Length', '+5'],
  ['Content-Length', '99999999999999999999'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'xchunked'],
  ['Transfer-Encoding', 'chunked, identity'],
  ['Connection', 'close'],
  ['X-Long', 'x'.repeat(9000)],
  ['X-Bytes', '\x00\x01\xff'],
  ['', 'nameless'],
];

const values = [
  ...['0', '-1', '1e400', '1.0000001', '"1"', '""', 'null', 'true', '[]', '{}', '1', '3.5', '-0'],
  ...[
    '"\\ud800"',
    '"\\u0000"',
    '"."',
    '".."',
    '"__proto__"',
    '"a/b"',
    '"\\u202e"',
    '"EUR"',
    '9007199254740993',
  ],
  ...[`"${'x'.repeat(1000)}"`, '['.repeat(2000), '"\xff\xfe"', '"\xc3\xa9"'],
];

const names = [
  'productId',
  'price',
  'currency',
  'source',
  'reason',
  '__proto__',
  'constructor',
  '',
];

/** What leaves the framing as it is. */
const rules: readonly PartMutation[] = [
  (parts, random) => {
    parts.method = random.pick(methods);
  },
  (parts, random) => {
    parts.target = random.pick(targets);
  },
  (parts, random) => {
    parts.headers.unshift(random.pick(ruleHeaders));
  },
  (parts, random) => {
    parts.headers.push(random.pick(ruleHeaders));
  },
  setBody((body, random) => body.replace(/:[^,}]*/, `:${random.pick(values)}`)),
  setBody((body, random) => body.replace(/"price":[^,}]*/, `"price":${random.pick(values)}`)),
  setBody((body, random) => body.replace('}', `,"${random.pick(names)}":${random.pick(values)}}`)),
  setBody((body, random) => body.replace(random.pick(['"price"', '{', ':', ',']), '')),
  setBody((body, random) => random.pick(['', ' ', '3', '[]', 'null', '{}', `\xef\xbb\xbf${body}`])),
  setBody((body) => body + body),
  setBody((body, random) => splice(body, random.integer(body.length + 1), 1, byte(random))),
];

/** What may break the framing. */
const framing: readonly PartMutation[] = [
  (parts, random) => {
    parts.version = random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '']);
  },
  (parts, random) => {
    parts.method = random.pick(['CONNECT', 'PRI', 'get', '']);
  },
  (parts, random) => {
    parts.headers.push(random.pick(framingHeaders));
  },
  (parts, random) => {
    parts.headers.splice(random.integer(parts.headers.length), 1);
  },
  (parts, random) => {
    parts.headers[random.integer(parts.headers.length)] = random.pick(framingHeaders);
  },
  ({ headers }, random) => {
    headers.push(random.pick(headers));
  },
  (parts, random) => {
    parts.body = parts.body.slice(random.integer(3)).padEnd(random.integer(100));
  },
  setBody((body) => body.padEnd(20_000)),
  (parts, random) => {
    // As chunks: well made, or with an extension, a wrong size, a missing end.
    const size = (parts.body.length + (random.isOneIn(4) ? random.integer(5) - 2 : 0)).toString(16);
    const extension = random.isOneIn(3) ? `;${'x'.repeat(random.integer(20_000))}` : '';
    parts.headers = parts.headers.filter(([name]) => name !== 'Content-Length');
    parts.headers.push(['Transfer-Encoding', 'chunked']);
    parts.body = `${size}${extension}\r\n${parts.body}\r\n${random.isOneIn(4) ? '' : '0\r\n\r\n'}`;
  },
];

function setBody(change: (body: string, random: FastRandom) => string): PartMutation {
  return (parts, random) => {
    parts.body = change(parts.body, random);
    parts.headers = parts.headers.filter(([name]) => name !== 'Content-Length');
    parts.headers.push(['Content-Length', String(parts.body.length)]);
  };
}

/** What may break anything. */
const bytes: readonly ((text: string, random: FastRandom) => string)[] = [
  (text, random) => splice(text, random.integer(text.length), 1, byte(random)),
  (text, random) => splice(text, random.integer(text.length), 0, byte(random)),
  (text, random) => splice(text, random.integer(text.length), 1 + random.integer(4), ''),
  (text, random) => text.slice(0, random.integer(text.length)),
  (text, random) => {
    const start = random.integer(text.length);
    return splice(text, start, 0, text.slice(start, start + random.integer(50)));
  },
  (text) => text.replaceAll('\r\n', '\n'),
  (text) => text.replace('\r\n', '\r\n '),
  (text) => `\r\n${text}`,
];

function splice(text: string, start: number, removed: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(start + removed);
}

function byte(random: FastRandom): string {
  return String.fromCharCode(random.integer(256));
}
