import { truthForm } from '../input/truth-form.ts';
import { exampleReceipt, exampleUpdate } from './examples.ts';
import * as header from './headers.ts';
import { named } from './named-schemas.ts';
import type { ClientErrorCode, Content, MediaType, Operation } from './operation.ts';
import * as parameter from './parameters.ts';
import { problemType } from './problem-types.ts';

const dryRun = parameter.queryParameter('dryRun', truthForm, {
  description: 'Checks everything, records nothing, and answers 200 with what would be recorded.',
  default: false,
});
const ifChanged = parameter.queryParameter('ifChanged', truthForm, {
  description: 'Records nothing where the amount is the one already in force.',
  default: false,
});
const atomic = parameter.queryParameter('atomic', truthForm, {
  description: 'All lines or none; such a batch has at most 1000 lines, unless set otherwise.',
  default: false,
});

/** What may keep a record from being written, whatever it is. */
const writeProblems: readonly ClientErrorCode[] = [
  'QUEUE_FULL',
  'BACKLOG_FULL',
  'DRAINING',
  'READ_ONLY',
  'NO_SPACE',
  'STORAGE_FAILED',
  'STORAGE_BUSY',
  'PRODUCT_FILE_DAMAGED',
  'JOURNAL_DAMAGED',
];

const exampleLines =
  '{"productId":"foo","price":3.50}\n{"productId":"bar","price":"12.00","idempotencyKey":"bar-1"}\n';

const exampleResults =
  '{"line":1,"status":202,"seq":3,"version":3,"unchanged":false}\n' +
  '{"line":2,"status":202,"seq":4,"version":1,"unchanged":false}\n';

const lines = { schema: named('BatchLine'), example: exampleLines };
const results = inLines({ schema: named('BatchResult'), example: exampleResults });

/** In each of the media types that lines of JSON have. */
function inLines(lines: MediaType): Content {
  return {
    'application/x-ndjson': lines,
    'application/jsonl': lines,
    'application/ndjson': lines,
  };
}

export const reprice: Operation = {
  id: 'reprice',
  method: 'post',
  path: '/reprice',
  below: 'api',
  scope: 'reprice',
  tag: 'Prices',
  summary: 'Record a new price',
  description:
    'Answers 202 once the record is on disk. What the request expects of the current price is ' +
    'checked when the write has its turn, so nothing comes between the check and the record.',
  parameters: [
    dryRun,
    ifChanged,
    parameter.ifMatch,
    parameter.ifNoneMatchForWrites,
    parameter.idempotencyKey,
    parameter.prefer,
  ],
  body: {
    description: 'The product, its price, and what is to be noted beside it.',
    content: { 'application/json': { schema: named('PriceUpdate'), example: exampleUpdate } },
  },
  answers: [
    {
      status: 200,
      description: 'Nothing was recorded: a dry run, or the amount is already in force.',
      headers: [header.noStore, header.location, header.someVersionTag],
      content: {
        'application/json': {
          schema: { oneOf: [named('Draft'), named('Unchanged')] },
          example: { productId: 'foo', version: 2, price: 3.55, unchanged: true },
        },
      },
    },
    {
      status: 202,
      description: 'The record is on disk. The body is empty, or with Prefer the receipt.',
      headers: [
        header.noStore,
        header.location,
        header.versionTag,
        header.recordSeq,
        header.replayed,
        header.preferenceApplied,
      ],
      content: { 'application/json': { schema: named('Receipt'), example: exampleReceipt } },
    },
  ],
  problems: [
    'PRICE_CONFLICT',
    'PRECONDITION_FAILED',
    'IDEMPOTENCY_KEY_IN_USE',
    'IDEMPOTENCY_KEY_REUSED',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    ...writeProblems,
  ],
};

export const repriceBatch: Operation = {
  id: 'repriceBatch',
  method: 'post',
  path: '/reprice/batch',
  below: 'api',
  scope: 'reprice',
  tag: 'Prices',
  summary: 'Record many prices',
  description:
    'Each line, or element of the array, is a reprice and gets a line of the answer, in order. Lines ' +
    'are read as fast as they are committed and their results are taken, so a batch may be of any ' +
    'length. A line that is refused spoils no other one, unless the batch is atomic; why it was ' +
    'refused stands in its result as a problem.',
  parameters: [atomic, dryRun, ifChanged],
  body: {
    description: 'Lines of JSON, each an update, or an array of updates.',
    content: {
      ...inLines(lines),
      'application/json': {
        schema: { type: 'array', items: named('BatchLine') },
        example: [exampleUpdate],
      },
    },
  },
  answers: [
    {
      status: 200,
      description: 'What became of each line. Of an atomic batch: all are recorded.',
      headers: [header.noStore],
      content: results,
    },
    {
      status: 409,
      description: 'The batch is atomic and some line was refused: nothing was recorded.',
      headers: [header.noStore],
      content: inLines({
        schema: named('BatchResult'),
        example: `{"line":1,"status":424,"problem":${JSON.stringify(problemType('FAILED_DEPENDENCY').example)}}\n`,
      }),
    },
  ],
  // Those of a write are the answer where the batch is atomic; otherwise they stand in its lines.
  problems: [
    'NOT_ACCEPTABLE',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'TOO_MANY_BATCHES',
    ...writeProblems,
  ],
};
