import { crc32 } from 'node:zlib';

/**
 * A line of JSON that carries the checksum of its own bytes as its last field:
 * `{"a":1,"crc":"9ae3c210"}`. The checksum is CRC-32 as zlib computes it, in eight lower-case hex
 * digits, over the line's bytes before `,"crc"`.
 */
const sumStart = Buffer.from(',"crc":"');
const sumDigits = 8;
const sumEnd = Buffer.from('"}');
const endingLength = sumStart.length + sumDigits + sumEnd.length;

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
  return sumOf(line) === crc32(fieldsOf(line));
}

/** Where the checksum of a line begins. */
export function fieldsEnd(line: Buffer): number {
  return Math.max(0, line.length - endingLength);
}

/** The checksum that the line carries; undefined when it carries none. */
function sumOf(line: Buffer): number | undefined {
  const from = fieldsEnd(line) + sumStart.length;
  if (!has(line, fieldsEnd(line), sumStart)) return undefined;
  if (!has(line, from + sumDigits, sumEnd)) return undefined;
  let sum = 0;
  for (let at = from; at < from + sumDigits; at += 1) {
    const digit = hexDigit(line[at] ?? 0);
    if (digit === undefined) return undefined;
    sum = sum * 16 + digit;
  }
  return sum;
}

function has(line: Buffer, at: number, expected: Buffer): boolean {
  return expected.every((byte, index) => line[at + index] === byte);
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x61 + 10 : undefined;
}

function fieldsOf(line: Buffer): Buffer {
  return line.subarray(0, fieldsEnd(line));
}

function endingOf(fields: string): string {
  return `,"crc":"${crc32(fields).toString(16).padStart(8, '0')}"}`;
}
