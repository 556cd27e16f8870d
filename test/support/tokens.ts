import type { Scope } from '../../src/access/client.ts';
import { hashToken } from '../../src/access/token.ts';
import { TokenIndex } from '../../src/access/token-index.ts';
import type { TokenEntry } from '../../src/access/token-list.ts';

/** The entry of a token that a test knows: `tokenOf(name)`. */
export function entry(name: string, scopes: Scope[], productPrefix?: string): TokenEntry {
  const sha256 = hashToken(tokenOf(name)).toString('hex');
  return { name, sha256, scopes, ...(productPrefix !== undefined && { productPrefix }) };
}

export function tokenOf(name: string): string {
  return `rp_${name}-token`;
}

export function bearer(name: string): { readonly authorization: string } {
  return { authorization: `Bearer ${tokenOf(name)}` };
}

/** Clients whose tokens change while a test runs. */
export class ChangingTokens {
  #index: TokenIndex;

  constructor(...entries: readonly TokenEntry[]) {
    this.#index = new TokenIndex(entries);
  }

  become(...entries: readonly TokenEntry[]): void {
    this.#index = new TokenIndex(entries);
  }

  identify = (token: string | undefined) => this.#index.identify(token);
}
