import { LosslessNumber, parse } from 'lossless-json';
import { RepricerError } from '../../errors.ts';

/**
 * The value of a JSON text in UTF-8; its numbers are `LosslessNumber`s, which keep their digits.
 *
 * A byte order mark, broken UTF-8, and a key that stands twice in an object with different values
 * are refused. A key that stands twice with the same value means one thing only and is let pass.
 * `what` the text is begins the message of a refusal.
 */
export function parseJson(bytes: unknown, what: JsonPart = 'The body'): unknown {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) {
    throw new RepricerError('BAD_REQUEST', `${what} is empty; it must be JSON.`);
  }
  const text = decodeUtf8(bytes, what);
  const onDuplicateKey = ({ position }: { readonly position: number }) => {
    const why = `${what} has the same key twice in one object (at position ${position}).`;
    throw new RepricerError('BAD_REQUEST', why);
  };
  try {
    return parse(text, undefined, { parseNumber, onDuplicateKey });
  } catch (error) {
    // The parser recurses, so nesting that is too deep ends in a RangeError.
    if (error instanceof RangeError) throw notJson(what, 'it is nested too deeply', error);
    if (error instanceof SyntaxError) throw notJson(what, positionIn(error), error);
    throw error;
  }
}

/** A line of a batch has its number beside its problem, and gets another one when it is sent again. */
export type JsonPart = 'The body' | 'The line';

const parseNumber = (digits: string) => new LosslessNumber(digits);

function decodeUtf8(bytes: Buffer, what: JsonPart): string {
  try {
    // A byte order mark is kept, so that the parser meets it and refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw notJson(what, 'it is not valid UTF-8', error);
    throw error;
  }
}

/** The parser's messages end in the position; before it they quote the client's text. */
function positionIn(error: SyntaxError): string {
  return /at position \d+$/.exec(error.message)?.[0] ?? 'it cannot be read';
}

function notJson(what: JsonPart, reason: string, cause: Error): RepricerError {
  return new RepricerError('BAD_REQUEST', `${what} is not valid JSON (${reason}).`, { cause });
}
