import { RepricerError } from '../../errors.ts';
import { JsonError, parseExactJson } from '../../model/exact-json.ts';

/**
 * The value of a JSON text in UTF-8; its numbers are `ExactNumber`s, which keep their digits.
 *
 * A byte order mark, broken UTF-8, and a key that stands twice in an object with different values
 * are refused. A key that stands twice with the same value means one thing only and is let pass.
 * `what` the text is begins the message of a refusal.
 */
export function parseJson(bytes: unknown, what: JsonPart = 'The body'): unknown {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) {
    throw new RepricerError('BAD_REQUEST', `${what} is empty; it must be JSON.`);
  }
  if (startsWithMark(bytes)) {
    throw new RepricerError(
      'BAD_REQUEST',
      `${what} begins with a byte order mark; send it without.`,
    );
  }
  const text = decodeUtf8(bytes, what);
  try {
    return parseExactJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw refusal(`${what} ${error.message}.`, error);
    throw error;
  }
}

/** A line of a batch has its number beside its problem, and gets another one when it is sent again. */
export type JsonPart = 'The body' | 'The line';

function decodeUtf8(bytes: Buffer, what: JsonPart): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      throw refusal(`${what} is not valid JSON (it is not valid UTF-8).`, error);
    }
    throw error;
  }
}

/** Editors put it before a text, and RFC 8259 has no place for it. */
function startsWithMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function refusal(message: string, cause: Error): RepricerError {
  return new RepricerError('BAD_REQUEST', message, { cause });
}
