import test from 'ava';
import { parseRedisValue, type RedisValue } from './redis-value.ts';

const values: readonly (readonly [string, RedisValue])[] = [
  ['+OK\r\n', 'OK'],
  [':42\r\n', 42],
  ['$5\r\na\r\nbc\r\n', 'a\r\nbc'],
  ['$-1\r\n', null],
  ['*3\r\n$-1\r\n:1\r\n*1\r\n+a\r\n', [null, 1, ['a']]],
];

for (const [text, value] of values) {
  test(`${JSON.stringify(text)} is one value, and no beginning of it is`, (t) => {
    const beginnings = Array.from(text, (_, length) => parseRedisValue(text.slice(0, length), 0));

    t.true(beginnings.every((parsed) => parsed === undefined));
    t.deepEqual(parseRedisValue(`${text}+next\r\n`, 0), { value, end: text.length });
  });
}

test('an error is given and not thrown, so that it reaches whoever sent its command', (t) => {
  const parsed = parseRedisValue('-ERR bad\r\n', 0);

  t.deepEqual(String(parsed?.value), 'Error: ERR bad');
});
