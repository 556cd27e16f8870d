/**
 * No whole answer came: the connection failed, broke, or was silent for too long. What the request
 * asked for may have been done or not, which sending it again with the same key tells.
 */
export class RepricerUnreachable extends Error {
  override readonly name = 'RepricerUnreachable';
}
