import { createHash } from 'node:crypto';
import { openFilePart } from '../files/file-part.ts';
import { type FileSystem, isMissing, type OpenFile } from '../files/file-system.ts';
import { readLines } from '../files/lines.ts';
import { decodeCheckedLine } from './checked-line.ts';
import { openSegmentFile } from './open-segment-file.ts';
import { recordBytesMax } from './record.ts';
import type { FilePrefix } from './snapshot.ts';

/** What a prefix is not as its sum says. */
export interface PrefixDamage {
  readonly file: string;
  /** The first bad line; where a file ends too early; 0 when neither shows where it is. */
  readonly offset: number;
  readonly problem: string;
}

export function describePrefixDamage({ file, offset, problem }: PrefixDamage): string {
  return `${file}, offset ${offset}: ${problem}`;
}

/** Is told of bytes that were read. */
export type OnBytes = (file: string, bytes: number) => void | Promise<void>;

/**
 * Opens the file of a prefix, which may be sealed, and so get another name, at any moment, and hands it
 * to `use`. What that gives; or that the file is missing.
 */
export async function withPrefix(
  files: FileSystem,
  directory: string,
  prefix: FilePrefix,
  use: (file: OpenFile) => Promise<PrefixDamage | undefined>,
): Promise<PrefixDamage | undefined> {
  let file: OpenFile;
  try {
    file = await openSegmentFile(files, directory, prefix);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { file: prefix.file, offset: 0, problem: 'it is missing' };
  }
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Reads a prefix and compares its sum; undefined when all is well. */
export function checkPrefix(
  files: FileSystem,
  directory: string,
  prefix: FilePrefix,
  onBytes: OnBytes = () => {},
): Promise<PrefixDamage | undefined> {
  return withPrefix(files, directory, prefix, async (file) => {
    const reading = new PrefixReading(file, prefix, onBytes);
    for await (const piece of reading.pieces()) void piece;
    return reading.damage();
  });
}

/** A prefix that is read once, and its sum compared at the end. */
export class PrefixReading {
  readonly #file: OpenFile;
  readonly #prefix: FilePrefix;
  readonly #onBytes: OnBytes;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  constructor(file: OpenFile, prefix: FilePrefix, onBytes: OnBytes) {
    this.#file = file;
    this.#prefix = prefix;
    this.#onBytes = onBytes;
  }

  async *pieces(): AsyncGenerator<Buffer> {
    for await (const piece of openFilePart(this.#file, 0, this.#prefix.bytes)) {
      this.#hash.update(piece);
      this.#bytes += piece.length;
      yield piece;
      await this.#onBytes(this.#prefix.file, piece.length);
    }
  }

  /** What is wrong with the pieces that were given; undefined when all is well. To be called once, after the last. */
  async damage(): Promise<PrefixDamage | undefined> {
    const { file, bytes, sha256 } = this.#prefix;
    if (this.#bytes < bytes) {
      const problem = `it has ${this.#bytes} bytes, and should have at least ${bytes}`;
      return { file, offset: this.#bytes, problem };
    }
    if (this.#hash.digest('hex') === sha256) return undefined;
    const offset = await badLineOffset(this.#file, bytes);
    return offset === undefined
      ? { file, offset: 0, problem: 'its sum is another one, though each line is good' }
      : { file, offset, problem: 'the line is damaged' };
  }
}

/** Records and the manifest's lines carry their checksums in the same way. */
async function badLineOffset(file: OpenFile, bytes: number): Promise<number | undefined> {
  for await (const lines of readLines(file, 0, bytes, recordBytesMax)) {
    for (const line of lines) {
      if (!line.isWhole || decodeCheckedLine(line.bytes) === undefined) return line.offset;
    }
  }
  return undefined;
}
