import type { BatchLine } from './reprice-request.ts';

/** A line of a batch on its way. */
export interface NumberedLine {
  /** From 1, over all lines of the caller. */
  readonly line: number;
  /** With its key, so that it can be sent again. */
  readonly update: BatchLine;
}

/** The line with a key of its own, where the caller gave none. */
export function numberLine(line: number, update: BatchLine): NumberedLine {
  const { idempotencyKey = crypto.randomUUID() } = update;
  return { line, update: { ...update, idempotencyKey } };
}

/** As it is sent, with its newline. */
export function lineText({ update }: NumberedLine): string {
  const { productId, price, currency, source, reason } = update;
  const { expectedPreviousPrice, idempotencyKey } = update;
  const annotations = { currency, source, reason };
  const fields = { productId, price, ...annotations, expectedPreviousPrice, idempotencyKey };
  return `${JSON.stringify(fields)}\n`;
}
