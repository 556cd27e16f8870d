import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from './daemon.ts';

const startMsMax = 30_000;
const pollMs = 50;

/** Resolves once `connect` succeeds. Rejects with its last error when the daemon ended, or took too long. */
export async function untilServing(daemon: Daemon, connect: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + startMsMax;
  for (;;) {
    try {
      await connect();
      return;
    } catch (error) {
      if (daemon.hasEnded || performance.now() > deadline) throw error;
    }
    await delay(pollMs);
  }
}
