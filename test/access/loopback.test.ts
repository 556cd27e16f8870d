import test from 'ava';
import { namesLoopback } from '../../src/access/loopback.ts';

test('a Host field names this machine by localhost and its loopback addresses, whatever the port', (t) => {
  for (const field of [
    'localhost',
    'LocalHost:8080',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.255.255.254:8080',
    '[::1]',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]:8080',
    '',
  ]) {
    t.true(namesLoopback(field), field);
  }
});

test('no other name or address does, whatever it contains', (t) => {
  for (const field of [
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example@127.0.0.1',
    '127.0.0.1@evil.example',
    '10.0.0.7',
    '0.0.0.0:8080',
    '[::]',
    '[fe80::1]:8080',
    '[::1',
    ':8080',
  ]) {
    t.false(namesLoopback(field), field);
  }
});
