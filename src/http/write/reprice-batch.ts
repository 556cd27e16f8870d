import { Readable } from 'node:stream';
import type { RouterMiddleware } from '@koa/router';
import type { Context } from 'koa';
import { hasCode, RepricerError } from '../../errors.ts';
import type { PriceLedger } from '../../ledger/price-ledger.ts';
import { Rehearsal } from '../../ledger/rehearsal.ts';
import { pacedGroups } from '../access/paced-groups.ts';
import { clientStill } from '../access/require-access.ts';
import { acceptedType } from '../input/accepted-type.ts';
import { awaitsContinue, isJson, refuseCompressed } from '../input/read-body.ts';
import { streamRequest } from '../server/streamed-request.ts';
import { parseBatchParameters } from './batch-parameters.ts';
import type { BodyPart, BodySplitter } from './body-parts.ts';
import { JsonArrayElements } from './json-array-elements.ts';
import { NdjsonLines } from './ndjson-lines.ts';
import { readParts } from './read-parts.ts';
import { type LineResults, repriceLines } from './reprice-lines.ts';
import { RepriceTally } from './reprice-tally.ts';

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
 * are read as fast as they are committed, their results are taken and the client's rate allows, so a batch
 * may be of any length. An atomic one is recorded at once, and the client pays for it afterwards. Once
 * `stopping` is aborted no more are read.
 */
export function repriceBatchHandler(
  ledger: Pick<PriceLedger, 'repriceAll'>,
  limits: BatchLimits,
  stopping: AbortSignal = new AbortController().signal,
): RouterMiddleware {
  return async function repriceBatch(ctx) {
    const parameters = parseBatchParameters(ctx);
    const splitter = splitterFor(ctx, limits.bodyBytesMax);
    const type = acceptedType(ctx, ...resultTypes);
    if (type === undefined) {
      throw new RepricerError('NOT_ACCEPTABLE', `This answers in ${resultTypes.join(' or ')}.`);
    }
    ctx.type = type;
    if (awaitsContinue(ctx)) ctx.res.writeContinue();
    streamRequest(ctx.req);
    const blocks = await begin(
      readParts(ctx.req, splitter, limits.requestTimeoutMs, stopping),
      splitter,
    );
    // A batch may last longer than its client's token.
    const identify = () => clientStill(ctx, 'reprice');
    const tally = new RepriceTally();
    ctx.state.reprices = tally;
    const batch = { ledger, parameters, identify, rehearsal: new Rehearsal(), tally };
    const record = async (lines: readonly BodyPart[]) => {
      const results = await repriceLines(batch, lines);
      if (results.ownFailure !== undefined) ctx.state.failure ??= results.ownFailure.error;
      return results;
    };
    if (parameters.isAtomic) await answerAtomic(ctx, blocks, limits.batchLinesMax, record);
    else answerStreamed(ctx, blocks, limits.batchLinesMax, record);
  };
}

const resultTypes = ['application/x-ndjson', 'application/jsonl', 'application/ndjson'];
const lineTypes =
  /^application\/(?:x-ndjson|ndjson|jsonl)[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8"))?$/i;

function splitterFor(ctx: Context, bytesMax: number): BodySplitter {
  refuseCompressed(ctx);
  const type = ctx.get('Content-Type');
  if (lineTypes.test(type)) return new NdjsonLines(bytesMax);
  if (isJson(ctx.req)) return new JsonArrayElements(bytesMax);
  throw new RepricerError(
    'UNSUPPORTED_MEDIA_TYPE',
    'The body must be application/x-ndjson, application/jsonl or application/json (an array), in UTF-8.',
  );
}

/** The blocks of a body, once the first is there. Throws what ended the body before any line of it. */
async function begin(
  blocks: AsyncGenerator<readonly BodyPart[]>,
  splitter: BodySplitter,
): Promise<AsyncIterable<readonly BodyPart[]>> {
  const first = await blocks.next();
  const [part] = first.done === true ? [] : first.value;
  if (part !== undefined && 'error' in part) {
    const isNoLine = splitter.isBroken || hasCode(part.error, ...givenUp);
    if (isNoLine) throw part.error;
  }
  return first.done === true ? blocks : startingWith(first.value, blocks);
}

async function* startingWith<Value>(
  first: Value,
  rest: AsyncIterable<Value>,
): AsyncGenerator<Value> {
  yield first;
  yield* rest;
}

/** What ends the reading of a body that is good so far. */
const givenUp = ['REQUEST_TIMEOUT', 'DRAINING'] as const;

/** Records some lines together. */
type RecordLines = (lines: readonly BodyPart[]) => Promise<LineResults>;

function answerStreamed(
  ctx: Context,
  blocks: AsyncIterable<readonly BodyPart[]>,
  linesMax: number,
  record: RecordLines,
): void {
  async function* results(): AsyncGenerator<string> {
    for await (const lines of blocks) {
      for await (const group of pacedGroups(lines, linesMax, ctx.state.rate)) {
        const { text, failure } = await record(group);
        yield text;
        if (failure !== undefined) return;
      }
    }
  }
  ctx.body = Readable.from(results(), { objectMode: false });
}

async function answerAtomic(
  ctx: Context,
  blocks: AsyncIterable<readonly BodyPart[]>,
  linesMax: number,
  record: RecordLines,
): Promise<void> {
  const lines = await wholeBatch(blocks, linesMax);
  ctx.state.rate?.overdraw(lines.length);
  const { text, areAllGood, failure } = await record(lines);
  if (failure !== undefined) throw failure.error;
  ctx.status = areAllGood ? 200 : 409;
  ctx.body = text;
}

/** All lines of the body. */
async function wholeBatch(
  blocks: AsyncIterable<readonly BodyPart[]>,
  linesMax: number,
): Promise<readonly BodyPart[]> {
  const all: BodyPart[] = [];
  for await (const lines of blocks) {
    all.push(...lines);
    if (all.length > linesMax) {
      const why = `An atomic batch has at most ${linesMax} lines; nothing was recorded.`;
      throw new RepricerError('BODY_TOO_LARGE', why);
    }
  }
  const errors = all.flatMap((line) => ('error' in line ? [line.error] : []));
  const brokenOff = errors.find((error) => hasCode(error, ...givenUp));
  if (brokenOff !== undefined) throw brokenOff;
  return all;
}
