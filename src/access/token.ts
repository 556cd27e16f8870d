import { createHash, randomBytes } from 'node:crypto';

/** Marks our tokens, so that people and scanners for leaked secrets know one when they see it. */
const tokenMark = 'rp_';

/** A new token: 256 random bits, in characters that need no quoting anywhere. */
export function createToken(): string {
  return `${tokenMark}${randomBytes(32).toString('base64url')}`;
}

/** What is stored in a token's place. Nobody guesses 256 bits, so a fast hash is as good as a slow one. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
