import type { FileSystem, OpenFile } from './file-system.ts';
import { readFully } from './read.ts';

const pieceBytes = 1 << 20;

/** The bytes of a file from `from` up to `to`, or up to its end when that comes first, piece by piece. */
export async function* filePart(
  files: FileSystem,
  path: string,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const file = await files.open(path, 'read');
  try {
    yield* openFilePart(file, from, to);
  } finally {
    await file.close();
  }
}

/** The same of a file that is open, and stays so. */
export async function* openFilePart(
  file: OpenFile,
  from: number,
  to: number,
): AsyncGenerator<Buffer> {
  for (let position = from; position < to; ) {
    const bytes = await readFully(file, position, Math.min(pieceBytes, to - position));
    if (bytes.length === 0) break;
    position += bytes.length;
    yield bytes;
  }
}
