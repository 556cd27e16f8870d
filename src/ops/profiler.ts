import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** What can be profiled: where the processor's time goes, and which code made the objects that live. */
export type ProfileKind = 'cpu' | 'heap';

/**
 * Takes profiles of this process. Invariant: one at a time, for no longer than was asked.
 *
 * Both kinds sample, so that the service goes on meanwhile. There is no heap snapshot: it holds up everything
 * while it is made and needs as much memory again, which the limit of a pod does not have.
 */
export class Profiler {
  #isTaking = false;

  get isTaking(): boolean {
    return this.#isTaking;
  }

  /**
   * Resolves after `seconds` with JSON that Chromium's DevTools open, a `.cpuprofile` or a
   * `.heapprofile`; with undefined soon after `abandon` is aborted.
   */
  async take(
    kind: ProfileKind,
    seconds: number,
    abandon: AbortSignal,
  ): Promise<string | undefined> {
    assert(!this.#isTaking, 'one profile is taken at a time');
    this.#isTaking = true;
    const session = new Session();
    try {
      session.connect();
      const stop = await begin[kind](session);
      if (!(await hasElapsed(seconds, abandon))) return undefined;
      return JSON.stringify(await stop());
    } finally {
      // It ends what the session had begun, too.
      session.disconnect();
      this.#isTaking = false;
    }
  }
}

/** Each begins a profile, and gives what ends it. */
const begin: Readonly<Record<ProfileKind, (session: Session) => Promise<() => Promise<object>>>> = {
  async cpu(session) {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return async () => (await session.post('Profiler.stop')).profile;
  },
  async heap(session) {
    await session.post('HeapProfiler.startSampling');
    return async () => (await session.post('HeapProfiler.stopSampling')).profile;
  },
};

/** False when it was aborted before. */
async function hasElapsed(seconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(seconds * 1000, undefined, { signal });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}
