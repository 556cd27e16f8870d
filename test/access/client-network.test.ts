import test from 'ava';
import { clientNetwork } from '../../src/access/client-network.ts';

test('an IPv4 client is its address, also when it comes in an IPv6 one', (t) => {
  t.is(clientNetwork('10.0.0.7'), '10.0.0.7');
  t.is(clientNetwork('::ffff:10.0.0.7'), '10.0.0.7');
});

test('an IPv6 client is the first 64 bits of its address', (t) => {
  t.is(clientNetwork('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
  t.is(clientNetwork('2001:db8:1:2::6'), '2001:db8:1:2');
  t.is(clientNetwork('2001:db8:1:2:ffff::'), '2001:db8:1:2');
  t.is(clientNetwork('2001:db8::6'), '2001:db8:0:0');
  t.is(clientNetwork('::1'), '0:0:0:0');
  t.not(clientNetwork('2001:db8:1:3::6'), clientNetwork('2001:db8:1:2::6'));
});
