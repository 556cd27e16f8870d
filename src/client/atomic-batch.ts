import { AnswerFields, UnreadableAnswer } from './answer-fields.ts';
import { type Answer, type ExchangeOptions, exchange, lineType } from './exchange.ts';
import { type LineResult, readLineOutcome } from './line-result.ts';
import { lineText, type NumberedLine, numberLine } from './numbered-line.ts';
import type { BatchLine } from './reprice-request.ts';
import { mayPass } from './retries.ts';

/** The most that a service can be set to take; it holds all of them, and so do we. */
const atomicLinesMax = 5000;

/**
 * The results of lines that are recorded all or none. They are sent again as a whole only: a part of
 * a batch that was refused might be accepted.
 */
export async function repriceAtomically(
  url: URL,
  lines: Iterable<BatchLine> | AsyncIterable<BatchLine>,
  options: ExchangeOptions,
): Promise<readonly LineResult[]> {
  const numbered = await numberedLines(lines);
  if (numbered.length === 0) return [];
  const request = {
    method: 'POST',
    headers: { 'Content-Type': lineType, Accept: lineType },
    body: numbered.map(lineText).join(''),
  };
  return exchange(url, request, options, (answer) => readResults(numbered, answer));
}

async function numberedLines(
  lines: Iterable<BatchLine> | AsyncIterable<BatchLine>,
): Promise<readonly NumberedLine[]> {
  const numbered: NumberedLine[] = [];
  for await (const update of lines) {
    const count = numbered.push(numberLine(numbered.length + 1, update));
    if (count > atomicLinesMax) {
      throw new RangeError(`an atomic batch has at most ${atomicLinesMax} lines`);
    }
  }
  return numbered;
}

/** Throws the problem of a line that may pass: then nothing was recorded, and all are to be sent again. */
function readResults(lines: readonly NumberedLine[], { text }: Answer): readonly LineResult[] {
  const results = text.split('\n').slice(0, -1);
  if (results.length !== lines.length) throw new UnreadableAnswer(`${lines.length} results`);
  return lines.map((line, index) => {
    const outcome = readLineOutcome(AnswerFields.parse(results[index] ?? ''));
    if (outcome.kind === 'refused' && mayPass(outcome.problem)) throw outcome.problem;
    return { ...outcome, ...line };
  });
}
