import { namesLoopback } from '../../access/loopback.ts';
import { isHost } from '../server/require-host.ts';

/** Clients use few names and ports for a service. */
const knownMax = 100;

/** The Host fields that the app lets pass, so that each is looked at once. */
export class KnownHosts {
  readonly #isLocalOnly: boolean;
  readonly #known = new Set<string>();

  /** `isLocalOnly`: whether only names of this machine for itself are let pass. */
  constructor(isLocalOnly: boolean) {
    this.#isLocalOnly = isLocalOnly;
  }

  has(hostField: string | undefined): boolean {
    if (hostField === undefined) return false;
    if (this.#known.has(hostField)) return true;
    if (!isHost(hostField) || (this.#isLocalOnly && !namesLoopback(hostField))) return false;
    if (this.#known.size < knownMax) this.#known.add(hostField);
    return true;
  }
}
