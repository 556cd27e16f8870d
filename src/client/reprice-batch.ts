import { AnswerFields } from './answer-fields.ts';
import { BatchLines } from './batch-lines.ts';
import { lineType, type Send, type Sending } from './exchange.ts';
import { type LineResult, readLineOutcome } from './line-result.ts';
import { LineUpload } from './line-upload.ts';
import type { BatchLine } from './reprice-request.ts';
import { RepricerUnreachable } from './repricer-unreachable.ts';
import { mayPass, Retries } from './retries.ts';
import { SilenceWatch } from './silence-watch.ts';
import { textLines } from './text-lines.ts';

/** How the lines of a batch are recorded. */
export interface BatchOptions {
  /** All lines or none; the service bounds how many there may be, 1000 by default. */
  readonly atomic?: boolean;
  /** Records no line whose price is that amount already. */
  readonly ifChanged?: boolean;
  /** Makes all checks and records nothing. */
  readonly dryRun?: boolean;
  /**
   * Whether lines that got no result, or that the service could not record just then, are sent again
   * with the same keys; true by default. Otherwise what broke the batch is thrown.
   */
  readonly retry?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Lines without a result at a time, some 2 MB. More would not be faster: the service commits 1000 together. */
export const linesInFlightMax = 4096;

/** The service itself waits 60 s for files that fall behind. */
const silenceMs = 90_000;

/**
 * A result for each line, in order, while lines are still being sent. Lines are taken from the caller
 * as fast as results are taken by it, and no more than `linesInFlightMax` beyond those.
 */
export async function* repriceBatch(
  url: URL,
  lines: Iterable<BatchLine> | AsyncIterable<BatchLine>,
  options: BatchOptions,
  sending: Sending,
): AsyncGenerator<LineResult, void, void> {
  const { signal } = options;
  const held = new BatchLines(lines, linesInFlightMax);
  signal?.addEventListener('abort', held.wake);
  try {
    for (;;) {
      signal?.throwIfAborted();
      await held.untilMoreThan(0);
      if (held.first !== undefined) yield* answerHeld(url, held, options, sending);
      else if (held.areAllAnswered) break;
    }
    held.throwInputError();
  } finally {
    signal?.removeEventListener('abort', held.wake);
    held.close();
  }
}

/** Sends lines, on as many connections as it takes, until all that are held have their results. */
async function* answerHeld(
  url: URL,
  held: BatchLines,
  options: BatchOptions,
  { send, limits }: Sending,
): AsyncGenerator<LineResult, void, void> {
  const retries = new Retries(limits);
  while (held.first !== undefined) {
    try {
      for await (const result of answerOnce(url, held, options, send)) {
        retries.startAnew();
        yield result;
      }
    } catch (error) {
      // The service ends a batch whose next line takes too long, and then none was lost.
      if (held.first === undefined && mayPass(error)) return;
      await retries.waitAfter(error, options.signal);
    }
  }
}

/** The results that come on one connection. Throws when that ends before all lines have theirs. */
async function* answerOnce(
  url: URL,
  held: BatchLines,
  { retry = true, signal }: BatchOptions,
  send: Send,
): AsyncGenerator<LineResult, void, void> {
  const watch = new SilenceWatch(silenceMs, signal);
  const upload = new LineUpload(held);
  try {
    const response = await send(url, {
      method: 'POST',
      headers: { 'Content-Type': lineType, Accept: lineType },
      body: upload.body,
      duplex: 'half',
      // Otherwise Node keeps a copy of all that was sent, for a redirect, which a stream cannot follow.
      redirect: 'error',
      window: null,
      signal: watch.signal,
    });
    for await (const texts of textLines(response, watch)) {
      for (const text of texts) {
        const fields = AnswerFields.parse(text);
        const outcome = readLineOutcome(fields);
        // As a rule nothing that follows is recorded either. Where only this product's file failed it
        // may be: then the lines that are sent again find theirs recorded, and this one comes after them.
        const isPassing = outcome.kind === 'refused' && mayPass(outcome.problem);
        if (isPassing && (retry || held.first === undefined)) throw outcome.problem;
        yield { ...outcome, ...upload.answered(fields.number('line')) };
      }
    }
    if (!held.areAllAnswered) throw new RepricerUnreachable('the last results did not come');
  } catch (error) {
    throw watch.reasonFor(error);
  } finally {
    upload.close();
    watch.close();
  }
}
