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
    // A byte order mark is kept, so that the parser meets it and refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      throw refusal(`${what} is not valid JSON (it is not valid UTF-8).`, error);
    }
    throw error;
  }
}

function refusal(message: string, cause: Error): RepricerError {
  return new RepricerError('BAD_REQUEST', message, { cause });
}
