import type { IncomingMessage } from 'node:http';
import { brokenOff } from '../input/read-body.ts';

/** The whole body of a request, of which the caller knows that it is short enough. */
export function readWhole(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on('error', (error) => reject(brokenOff(request, error)));
  });
}
