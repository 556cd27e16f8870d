import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { RouterMiddleware } from '@koa/router';
import type { Context } from 'koa';
import { hasCode, RepricerError } from '../errors.ts';
import type { PriceLedger } from '../ledger/price-ledger.ts';
import { type BatchParameters, parseBatchParameters } from './batch-parameters.ts';
import type { BodyPart, BodySplitter } from './body-parts.ts';
import { JsonArrayElements } from './json-array-elements.ts';
import { NdjsonLines } from './ndjson-lines.ts';
import { awaitsContinue, isJson, refuseCompressed } from './read-body.ts';
import { readParts } from './read-parts.ts';
import { repriceLines } from './reprice-lines.ts';
import { streamRequest } from './streamed-request.ts';

export interface BatchLimits {
  /** Lines that are recorded together; a longer atomic batch is refused with `BODY_TOO_LARGE`. */
  readonly batchLinesMax: number;
  /** The longest line, or element of an array. */
  readonly bodyBytesMax: number;
  /** A client that completes no line for so long is given up. */
  readonly requestTimeoutMs: number;
}

/**
 * POST /api/reprice/batch: each line is a reprice, and each gets a line of the answer, in order. Lines
 * are read as fast as they are committed and their results are taken, so a batch may be of any length.
 * Once `stopping` is aborted no more are read.
 */
export function repriceBatchHandler(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  limits: BatchLimits,
  stopping: AbortSignal = new AbortController().signal,
): RouterMiddleware {
  return async function repriceBatch(ctx) {
    const parameters = parseBatchParameters(ctx);
    const splitter = splitterFor(ctx, limits.bodyBytesMax);
    const type = ctx.accepts(...resultTypes);
    if (type === false) {
      throw new RepricerError('NOT_ACCEPTABLE', `This answers in ${resultTypes.join(' or ')}.`);
    }
    ctx.type = type;
    if (awaitsContinue(ctx)) ctx.res.writeContinue();
    streamRequest(ctx.req);
    const parts = readParts(ctx.req, splitter, limits.requestTimeoutMs, stopping);
    if (parameters.isAtomic) await answerAtomic(ctx, ledger, parts, parameters, limits);
    else answerStreamed(ctx, ledger, parts, parameters, limits);
  };
}

const resultTypes = ['application/x-ndjson', 'application/jsonl', 'application/ndjson'];
const lineTypes =
  /^application\/(?:x-ndjson|ndjson|jsonl)[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

function splitterFor(ctx: Context, bytesMax: number): BodySplitter {
  refuseCompressed(ctx);
  const type = ctx.get('Content-Type');
  if (lineTypes.test(type)) return new NdjsonLines(bytesMax);
  if (isJson(ctx)) return new JsonArrayElements(bytesMax);
  throw new RepricerError(
    'UNSUPPORTED_MEDIA_TYPE',
    'The body must be application/x-ndjson, application/jsonl or application/json (an array), in UTF-8.',
  );
}

function answerStreamed(
  ctx: Context,
  ledger: Pick<PriceLedger, 'repriceAll'>,
  blocks: AsyncIterable<readonly BodyPart[]>,
  parameters: BatchParameters,
  { batchLinesMax }: BatchLimits,
): void {
  async function* results(): AsyncGenerator<string> {
    for await (const parts of blocks) {
      for (let start = 0; start < parts.length; start += batchLinesMax) {
        const group = parts.slice(start, start + batchLinesMax);
        const { text, failure } = await repriceLines(ledger, group, parameters);
        yield text;
        if (failure !== undefined) return;
      }
    }
  }
  ctx.body = Readable.from(results(), { objectMode: false });
  endWithAnswer(ctx);
}

async function answerAtomic(
  ctx: Context,
  ledger: Pick<PriceLedger, 'repriceAll'>,
  blocks: AsyncIterable<readonly BodyPart[]>,
  parameters: BatchParameters,
  { batchLinesMax }: BatchLimits,
): Promise<void> {
  const all: BodyPart[] = [];
  for await (const parts of blocks) {
    all.push(...parts);
    if (all.length > batchLinesMax) {
      ctx.set('Connection', 'close');
      const why = `An atomic batch has at most ${batchLinesMax} lines; nothing was recorded.`;
      throw new RepricerError('BODY_TOO_LARGE', why);
    }
  }
  const brokenOff = all.find((part) => 'error' in part && isOfAll(part.error));
  if (brokenOff !== undefined && 'error' in brokenOff) {
    ctx.set('Connection', 'close');
    throw brokenOff.error;
  }
  const { text, areAllGood, failure } = await repriceLines(ledger, all, parameters);
  if (failure !== undefined) throw failure.error;
  ctx.status = areAllGood ? 200 : 409;
  ctx.body = text;
  endWithAnswer(ctx);
}

/** Whether a part's error is none of the line's. */
function isOfAll(error: unknown): boolean {
  return hasCode(error, 'REQUEST_TIMEOUT', 'DRAINING');
}

/**
 * When the answer ends before the request did, nobody reads on: the connection ends with it. Refused at
 * once, lines are answered before Node has noticed that they were the last ones of what it received.
 */
function endWithAnswer({ req, res }: { req: IncomingMessage; res: Context['res'] }): void {
  res.once('finish', () => {
    setImmediate(() => {
      if (!req.complete) req.socket.end();
    });
  });
}
