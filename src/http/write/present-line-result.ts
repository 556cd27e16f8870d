import type { RepriceResult } from '../../ledger/reprice.ts';
import type { ProductId } from '../../model/product-id.ts';
import { isUnchanged, presentDraft, presentUnchanged } from '../read/present-receipt.ts';
import { presentProblem, toProblem } from '../server/problem.ts';

/** The line of a batch's answer that tells what became of one of its lines. With its newline. */
export function presentLineResult(
  line: number,
  productId: ProductId,
  result: RepriceResult,
): string {
  switch (result.kind) {
    case 'recorded': {
      const { record } = result.receipt;
      const { seq, version } = record;
      const unchanged = isUnchanged(record);
      const replayed = result.isReplayed ? ',"replayed":true' : '';
      return `{"line":${line},"status":202,"seq":${seq},"version":${version},"unchanged":${unchanged}${replayed}}\n`;
    }
    case 'unchanged':
      return `{"line":${line},"status":200,${presentUnchanged(productId, result.head).slice(1)}\n`;
    case 'dry run': {
      const replayed = result.isReplayed ? ',"replayed":true' : '';
      return `{"line":${line},"status":200,${presentDraft(result.draft).slice(1, -1)}${replayed}}\n`;
    }
  }
}

/** The same for a line that was refused, or that failed. */
export function presentLineProblem(line: number, error: unknown): string {
  const problem = toProblem(error);
  return `{"line":${line},"status":${problem.status},"problem":${presentProblem(problem)}}\n`;
}
