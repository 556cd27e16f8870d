import type { PriceRecord } from '../../model/price-record.ts';
import { presentPrice } from '../read/present-price.ts';

/*
 * The texts of the feed, as server-sent events (WHATWG HTML, section 9.2). An `id` that stands without
 * `data` is no event, and yet a client resumes from it: dispatching sets the last event id before it
 * looks whether there is data.
 */

/** Why a stream was ended by the service; a client resumes where it was. */
export type EndReason =
  /** The service is stopping. */
  | 'stopping'
  /** The client took too long to take what it was sent. */
  | 'stalled'
  /** The client's token was withdrawn, or is not for this any more. */
  | 'forbidden'
  /** The journal could not be read just now. */
  | 'unreadable';

/** How long a client waits before it connects again, unless it knows better. */
const reconnectMs = 2000;

export function presentEvent(record: PriceRecord): string {
  return `id: ${record.seq}\nevent: price\ndata: ${presentPrice(record)}\n\n`;
}

/** Sent at once, so that a client sees its stream open, and resumes from here if it breaks before an event. */
export function presentOpening(seq: number): string {
  return `retry: ${reconnectMs}\nid: ${seq}\n\n`;
}

/** Tells that a quiet stream lives, and up to which record it is complete. */
export function presentHeartbeat(seq: number): string {
  return `: complete up to ${seq}\nid: ${seq}\n\n`;
}

export function presentEnd(seq: number, reason: EndReason): string {
  return `id: ${seq}\nevent: end\ndata: {"reason":"${reason}"}\n\n`;
}
