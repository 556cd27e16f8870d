import { AnswerFields } from './answer-fields.ts';
import type { Send, Sending } from './exchange.ts';
import { type PriceRecord, readPriceRecord } from './price-record.ts';
import { RepricerUnreachable } from './repricer-unreachable.ts';
import { Retries } from './retries.ts';
import { serverEvents } from './server-events.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Which records of the feed. */
export interface StreamOptions {
  /** The seq after which they begin; 0 for all. Without it, those that are recorded from now on. */
  readonly after?: number;
  /** Only the records of these products, at most 50. */
  readonly productIds?: readonly string[];
  /** How often the service sends something when nothing happens, in ms; its own default is this one's. */
  readonly heartbeatMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const heartbeatMsDefault = 15_000;

/** So many heartbeats without a byte, and the connection is taken for dead. */
const silentHeartbeats = 2.5;

/**
 * The records after a place in the journal, and those to come, each once and in the order of seq, until
 * the caller leaves or the signal is aborted, which is thrown. Broken connections and ends of the
 * service's making are resumed where they broke, for as long as it takes; a refusal that will not pass
 * is thrown, such as one of a place that the journal does not have.
 */
export async function* priceStream(
  url: URL,
  options: StreamOptions,
  { send, limits }: Sending,
): AsyncGenerator<PriceRecord, void, void> {
  const retries = new Retries({ ...limits, attemptsMax: Infinity, totalMs: Infinity });
  const place: Place = { seq: options.after };
  for (;;) {
    try {
      yield* streamOnce(send, url, options, place, retries);
    } catch (error) {
      await retries.waitAfter(error, options.signal);
    }
  }
}

/** Up to where the stream is complete; undefined until the service has told where it begins. */
interface Place {
  seq: number | undefined;
}

/** The records from one connection. It only ends by an error, or by its caller. */
async function* streamOnce(
  send: Send,
  url: URL,
  { heartbeatMs = heartbeatMsDefault, signal }: StreamOptions,
  place: Place,
  retries: Retries,
): AsyncGenerator<PriceRecord, void, void> {
  const watch = new SilenceWatch(heartbeatMs * silentHeartbeats, signal);
  try {
    const headers = new Headers({ Accept: 'text/event-stream' });
    if (place.seq !== undefined) headers.set('Last-Event-ID', String(place.seq));
    const response = await send(url, { headers, signal: watch.signal });
    let isOpening = true;
    for await (const { id, type, data } of serverEvents(response, watch)) {
      const seq = id === undefined ? undefined : Number(id);
      const isNew = seq !== undefined && seq > (place.seq ?? -1);
      if (isNew) place.seq = seq;
      if (type === 'end') throw new RepricerUnreachable(`the service ended the stream: ${data}`);
      // A service that only ever opens streams must not be asked again at once, time after time.
      if (!isOpening) retries.startAnew();
      isOpening = false;
      if (isNew && type === 'price') yield readPriceRecord(AnswerFields.parse(data ?? ''));
    }
    throw new RepricerUnreachable('the stream broke off');
  } catch (error) {
    throw watch.reasonFor(error);
  } finally {
    watch.close();
  }
}
