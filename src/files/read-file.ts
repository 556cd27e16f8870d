import { filePart } from './file-part.ts';
import type { FileSystem } from './file-system.ts';

/** All bytes of a file, which must fit into memory. */
export async function readFile(files: FileSystem, path: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of filePart(files, path)) pieces.push(piece);
  return Buffer.concat(pieces);
}
