import { LosslessNumber, parse } from 'lossless-json';
import { RepricerError } from '../errors.ts';

/**
 * The value of a JSON text in UTF-8; its numbers are `LosslessNumber`s, which keep their digits.
 *
 * A byte order mark, broken UTF-8, and a key that stands twice in an object with different values
 * are refused. A key that stands twice with the same value means one thing only and is let pass.
 */
export function parseJson(bytes: unknown): unknown {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) {
    throw new RepricerError('BAD_REQUEST', 'The body is empty; it must be JSON.');
  }
  const text = decodeUtf8(bytes);
  try {
    return parse(text, undefined, { parseNumber, onDuplicateKey });
  } catch (error) {
    // The parser recurses, so nesting that is too deep ends in a RangeError.
    if (error instanceof RangeError) throw notJson('it is nested too deeply', error);
    if (error instanceof SyntaxError) throw notJson(positionIn(error), error);
    throw error;
  }
}

const parseNumber = (digits: string) => new LosslessNumber(digits);

function onDuplicateKey({ position }: { readonly position: number }): never {
  throw new RepricerError(
    'BAD_REQUEST',
    `The body has the same key twice in one object (at position ${position}).`,
  );
}

function decodeUtf8(bytes: Buffer): string {
  try {
    // A byte order mark is kept, so that the parser meets it and refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw notJson('it is not valid UTF-8', error);
    throw error;
  }
}

/** The parser's messages end in the position; before it they quote the client's text. */
function positionIn(error: SyntaxError): string {
  return /at position \d+$/.exec(error.message)?.[0] ?? 'it cannot be read';
}

function notJson(reason: string, cause: Error): RepricerError {
  return new RepricerError('BAD_REQUEST', `The body is not valid JSON (${reason}).`, { cause });
}
