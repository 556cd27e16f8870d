import { type Timestamp, toTimestamp } from '../model/timestamp.ts';

/** The time now. It may stand still or step back; the ledger's timestamps do neither. */
export type Clock = () => Timestamp;

/** How far the two clocks may drift apart before the fine one is set again. */
const driftMsMax = 2;

/**
 * The system's wall clock with microseconds. `Date.now()` has milliseconds only, and the monotonic
 * clock is fine but does not follow corrections; so the fine one is used, and set by the other.
 */
export function createSystemClock(): Clock {
  let offsetMs = Date.now() - performance.now();
  return () => {
    const wallMs = Date.now();
    const fineMs = offsetMs + performance.now();
    if (Math.abs(fineMs - wallMs) <= driftMsMax) return toTimestamp(Math.floor(fineMs * 1000));
    offsetMs += wallMs - fineMs;
    return toTimestamp(wallMs * 1000);
  };
}
