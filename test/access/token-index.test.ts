import test from 'ava';
import { createToken, hashToken } from '../../src/access/token.ts';
import { TokenIndex } from '../../src/access/token-index.ts';
import { entry, tokenOf } from '../support/tokens.ts';

test('a token is 256 random bits behind a mark', (t) => {
  const tokens = new Set(Array.from({ length: 100 }, createToken));

  t.is(tokens.size, 100);
  for (const token of tokens) {
    t.regex(token, /^rp_[\w-]{43}$/);
    t.is(Buffer.from(token.slice(3), 'base64url').length, 32);
  }
});

test('a token finds its client, and nothing else finds one', (t) => {
  const index = new TokenIndex([entry('a', ['read'], 'x'), entry('b', ['reprice', 'admin'])]);
  const hash = hashToken(tokenOf('a'));

  t.deepEqual(index.identify(tokenOf('a')), { name: 'a', scopes: ['read'], productPrefix: 'x' });
  t.deepEqual(index.identify(tokenOf('b')), { name: 'b', scopes: ['reprice', 'admin'] });
  for (const other of [
    undefined,
    '',
    tokenOf('c'),
    tokenOf('a').slice(0, -1),
    `${tokenOf('a')} `,
    tokenOf('a').toUpperCase(),
    hash.toString('hex'),
    hash.toString('latin1'),
  ]) {
    t.is(index.identify(other), undefined);
  }
});
