import { BlockList, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Whether an address, or the one name that is known to mean such an address, is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/**
 * Whether a Host field names this machine as itself. A page can give its own name the address of this
 * machine, and is then let by its browser as far as the machine itself (DNS rebinding); but the requests
 * still have the name of the page. None at all, as in HTTP/1.0, is sent by no browser.
 */
export function namesLoopback(hostField: string): boolean {
  const [, inBrackets, name = ''] = /^(?:\[(.*)\]|([^:]*))(?::\d*)?$/.exec(hostField) ?? [];
  return hostField === '' || isLoopback((inBrackets ?? name).toLowerCase());
}
