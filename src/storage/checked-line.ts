import { crc32 } from 'node:zlib';

/**
 * A line of JSON that carries the checksum of its own bytes as its last field:
 * `{"a":1,"crc":"9ae3c210"}`. The checksum is CRC-32 as zlib computes it, in eight lower-case hex
 * digits, over the line's bytes before `,"crc"`.
 */
const endingLength = ',"crc":"00000000"}'.length;

/** The line, newline included, for `fields`: an object's JSON text without its closing brace. */
export function encodeCheckedLine(fields: string): string {
  return `${fields}${endingOf(fields)}\n`;
}

/** The object's JSON text without its closing brace and checksum; undefined when the checksum is absent or wrong. */
export function decodeCheckedLine(line: Buffer): string | undefined {
  return isIntact(line) ? fieldsOf(line).toString() : undefined;
}

/** Whether the line carries a checksum, and it is that of its bytes. */
export function isIntact(line: Buffer): boolean {
  const fields = fieldsOf(line);
  return line.toString('latin1', fields.length) === endingOf(fields);
}

function fieldsOf(line: Buffer): Buffer {
  return line.subarray(0, Math.max(0, line.length - endingLength));
}

function endingOf(fields: string | Buffer): string {
  return `,"crc":"${crc32(fields).toString(16).padStart(8, '0')}"}`;
}
