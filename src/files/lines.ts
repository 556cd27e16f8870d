import type { OpenFile } from './file-system.ts';
import { readFully } from './read.ts';

/** A line of a file, or what stands in the place of one. */
export interface Line {
  /** Where its first byte stands. */
  readonly offset: number;
  /** Its bytes, without the newline. */
  readonly bytes: Buffer;
  /** Whether a newline ends it. A piece longer than the longest line allowed is given as it is, not whole. */
  readonly isWhole: boolean;
}

const blockBytesDefault = 1 << 20;
const newline = 0x0a;

/**
 * The lines between two offsets of a file, a block of them at a time (an await for each line would
 * cost more than the line). `from` must be the start of a line. Bytes without a newline are given in
 * pieces of at most a block and `lineBytesMax`, so memory is bounded whatever the file holds.
 */
export async function* readLines(
  file: OpenFile,
  from: number,
  to: number,
  lineBytesMax: number,
  blockBytes = blockBytesDefault,
): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0);
  let restOffset = from;
  for (let position = from; position < to; ) {
    const read = await readFully(file, position, Math.min(blockBytes, to - position));
    if (read.length === 0) break;
    position += read.length;
    const lines: Line[] = [];
    const bytes = rest.length === 0 ? read : Buffer.concat([rest, read]);
    const used = splitLines(bytes, restOffset, lines);
    rest = bytes.subarray(used);
    restOffset += used;
    if (rest.length > lineBytesMax) {
      lines.push({ offset: restOffset, bytes: rest, isWhole: false });
      restOffset += rest.length;
      rest = Buffer.alloc(0);
    }
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [{ offset: restOffset, bytes: rest, isWhole: false }];
}

/** Adds the whole lines of `bytes` to `lines` and returns how many bytes they take. */
function splitLines(bytes: Buffer, offset: number, lines: Line[]): number {
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    if (end === -1) return start;
    lines.push({ offset: offset + start, bytes: bytes.subarray(start, end), isWhole: true });
    start = end + 1;
  }
}

/**
 * The first line for which `isAtOrAfter` holds, found by binary search with positioned reads:
 * O(log bytes). The file's first `bytes` bytes must be whole lines, and the lines for which
 * `isAtOrAfter` holds must all come after those for which it does not. Undefined when it holds for none.
 */
export async function findLine(
  file: OpenFile,
  bytes: number,
  lineBytesMax: number,
  isAtOrAfter: (line: Line) => boolean,
): Promise<Line | undefined> {
  let found: Line | undefined;
  // Lines that start before `low` are not it; `high` is the end, or the start of the best line found.
  let low = 0;
  let high = bytes;
  while (low < high) {
    const line = await lineAround(file, Math.floor((low + high) / 2), bytes, lineBytesMax);
    if (isAtOrAfter(line)) {
      found = line;
      high = line.offset;
    } else {
      low = line.offset + line.bytes.length + 1;
    }
  }
  return found;
}

/** The last line of the file's first `bytes` bytes, which must end with a newline. */
export function lastLine(file: OpenFile, bytes: number, lineBytesMax: number): Promise<Line> {
  return lineAround(file, bytes - 1, bytes, lineBytesMax);
}

/** The line that holds the byte at `position`; a line's newline belongs to it. */
async function lineAround(
  file: OpenFile,
  position: number,
  bytes: number,
  lineBytesMax: number,
): Promise<Line> {
  const from = Math.max(0, position - lineBytesMax);
  const window = await readFully(file, from, Math.min(bytes, position + lineBytesMax) - from);
  const middle = position - from;
  // lastIndexOf would take a negative position as one counted from the end.
  const start = middle === 0 ? 0 : window.lastIndexOf(newline, middle - 1) + 1;
  const end = window.indexOf(newline, middle);
  const isWhole = end !== -1 && (start > 0 || from === 0);
  return {
    offset: from + start,
    bytes: window.subarray(start, end === -1 ? window.length : end),
    isWhole,
  };
}

/**
 * The offset just after the last newline within the file's first `bytes` bytes: 0 for a file of less
 * than one line, undefined when the bytes at the end cannot be the beginning of a line.
 */
export async function wholeLinesEnd(
  file: OpenFile,
  bytes: number,
  lineBytesMax: number,
): Promise<number | undefined> {
  const from = Math.max(0, bytes - lineBytesMax);
  const last = (await readFully(file, from, bytes - from)).lastIndexOf(newline);
  if (last !== -1) return from + last + 1;
  return from === 0 ? 0 : undefined;
}
