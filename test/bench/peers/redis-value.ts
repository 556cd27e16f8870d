/** What Redis answers with (RESP 2); null where there is nothing. */
export type RedisValue = string | number | null | readonly RedisValue[];

/** A value, or the error that stands in its place, and where its text ends. */
interface Parsed {
  readonly value: RedisValue | Error;
  readonly end: number;
}

/** The value that begins at `start`, and where it ends; undefined while it is not whole. */
export function parseRedisValue(text: string, start: number): Parsed | undefined {
  const lineEnd = text.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (text[start] ?? '') {
    case '+':
      return { value: line, end: next };
    case ':':
      return { value: Number(line), end: next };
    case '-':
      return { value: new Error(line), end: next };
    case '$':
      return parseBulk(text, next, Number(line));
    default:
      return parseArray(text, next, Number(line));
  }
}

function parseBulk(text: string, start: number, length: number): Parsed | undefined {
  if (length === -1) return { value: null, end: start };
  const end = start + length;
  return text.length < end + 2 ? undefined : { value: text.slice(start, end), end: end + 2 };
}

function parseArray(text: string, start: number, length: number): Parsed | undefined {
  const values: RedisValue[] = [];
  let end = start;
  while (values.length < length) {
    const found = parseRedisValue(text, end);
    if (found === undefined) return undefined;
    if (found.value instanceof Error) return found;
    values.push(found.value);
    end = found.end;
  }
  return { value: values, end };
}
