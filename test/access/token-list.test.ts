import test from 'ava';
import { encodeTokenList, parseTokenList, tokenListBytesMax } from '../../src/access/token-list.ts';
import { RepricerError } from '../../src/errors.ts';
import { entry } from '../support/tokens.ts';

const hash = 'ab'.repeat(32);
const good = { name: 'crawler', sha256: hash, scopes: ['read'] };

function problemsOf(content: unknown): readonly string[] {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  try {
    parseTokenList(Buffer.from(text));
  } catch (error) {
    if (error instanceof RepricerError && error.code === 'INVALID_CONFIG') {
      return error.message.split('\n');
    }
    throw error;
  }
  return [];
}

test('a list reads back as it was written', (t) => {
  const entries = [entry('crawler', ['read', 'reprice'], 'shoes/"'), entry('a.b-9', ['admin'])];

  t.deepEqual(parseTokenList(Buffer.from(encodeTokenList(entries))), entries);
});

test('every broken rule is told at once, with its place', (t) => {
  const problems = problemsOf({
    tokens: [
      { ...good, name: 'Crawler' },
      { ...good, sha256: hash.toUpperCase() },
      { ...good, scopes: ['read', 'write'] },
      { ...good, scopes: [] },
      { ...good, scopes: ['read', 'read'] },
      { ...good, productPrefix: '' },
      { ...good, scope: ['read'] },
      { name: 5 },
      'crawler',
    ],
  });

  const scopesRule = 'must be a list of one or more of read, reprice, admin, each once';
  const nameRule =
    'must be 1 to 48 lower-case letters, digits, dots and hyphens, the first a letter or digit';
  const hashRule = 'must be the SHA-256 of a token in 64 lower-case hex digits';
  t.deepEqual(problems, [
    `tokens[0].name ${nameRule}`,
    `tokens[1].sha256 ${hashRule}`,
    `tokens[2].scopes[1] ${scopesRule}`,
    `tokens[3].scopes ${scopesRule}`,
    `tokens[4].scopes ${scopesRule}`,
    'tokens[5].productPrefix must be the beginning of product ids, 1 to 256 characters',
    'tokens[6] has a field that is not known here',
    `tokens[7].name ${nameRule}`,
    `tokens[7].sha256 ${hashRule}`,
    `tokens[7].scopes ${scopesRule}`,
    'tokens[8] must be an object',
  ]);
});

test('two tokens of one name, or of one hash, are refused', (t) => {
  const problems = problemsOf({
    tokens: [good, { ...good, sha256: 'cd'.repeat(32) }, { ...good, name: 'other' }],
  });

  t.deepEqual(problems, [
    'tokens[1].name is that of tokens[0]',
    'tokens[2].sha256 is that of tokens[0]',
  ]);
});

test('what is no list of 1 to 1000 tokens is refused', (t) => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, number) => entry(`t${number}`, ['read']));

  for (const content of [
    '',
    '{}',
    '[]',
    'null',
    '5',
    '{"tokens":[]}',
    { tokens: [good], more: 1 },
    { tokens: many(1001) },
    JSON.stringify({ tokens: [good] }).slice(0, -1),
    `{"tokens":[{"name":"a","name":"b","sha256":"${hash}","scopes":["read"]}]}`,
    '['.repeat(100_000),
  ]) {
    t.is(problemsOf(content).length, 1, String(content).slice(0, 60));
  }
  t.deepEqual(problemsOf({ tokens: many(1000) }), []);
  t.deepEqual(problemsOf({ tokens: [{ ...good, name: 'x'.repeat(48) }] }), []);
  t.is(problemsOf({ tokens: [{ ...good, name: 'x'.repeat(49) }] }).length, 1);
});

test('the longest list that may be is not too long for its file', (t) => {
  const entries = Array.from({ length: 1000 }, (_, number) =>
    entry(String(number).padStart(48, '0'), ['read', 'reprice', 'admin'], '😀'.repeat(256)),
  );

  t.true(Buffer.byteLength(encodeTokenList(entries)) < tokenListBytesMax);
});

test('no message repeats what stands in the file, as it may be a token', (t) => {
  const token = 'rp_kPpYw3bqVwGkzxQd0hZ9sT1u7LrJmN5oXcEaBvFyHiA';

  for (const content of [
    token,
    `{"tokens":["${token}"]}`,
    `{"tokens":[{"name":"${token}"}]}`,
    `{"tokens":[{"${token}":1}]}`,
    `{"${token}":1}`,
    `{"tokens":[{"name":"a","sha256":"${token}","scopes":["${token}"],"productPrefix":"\\n${token}"}]}`,
    `{"tokens":[{"name":"a","${token}":1,"${token}":2}]}`,
    `{"tokens":[{"name":"a"} ${token}]}`,
  ]) {
    const error = t.throws(() => parseTokenList(Buffer.from(content)));
    t.false(error.message.includes(token.slice(0, 8)), error.message);
    t.is(error.cause, undefined);
  }
});
