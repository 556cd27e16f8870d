import { isIPv6 } from 'node:net';

/** An IPv4 address inside an IPv6 one. */
const mapped = /^::ffff:([\d.]+)$/i;

/**
 * What stands for a client that is known by its address only: an IPv4 address, or the first 64 bits of an
 * IPv6 one, as whoever has one such address has all that begin so.
 */
export function clientNetwork(address: string): string {
  const [, inside] = mapped.exec(address) ?? [];
  if (inside !== undefined) return inside;
  if (!isIPv6(address)) return address;
  const [head = ''] = address.split('::');
  const groups = [...head.split(':').filter((group) => group !== ''), '0', '0', '0', '0'];
  return groups.slice(0, 4).join(':');
}
