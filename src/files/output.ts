import { write } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.ts';

const retryMs = 10;

const writeFd = promisify(write);

/**
 * A function that writes all of its bytes to an open file, pipe, socket or terminal and resolves when
 * the system has taken them. A reader that stalls holds up that promise, and neither the event loop
 * nor `process.exit`. Call it one write at a time. Rejects with Node's error, such as EPIPE.
 */
export function writeToFd(fd: number): (bytes: Buffer) => Promise<void> {
  openStandardStreams();
  return async (bytes) => {
    for (let written = 0; written < bytes.length; ) {
      written += await writeSome(fd, bytes.subarray(written));
    }
  };
}

/**
 * The first use of these objects makes pipes and sockets on fd 1 and 2 non-blocking; Node has no
 * other way. A blocking write to a stalled reader would hold a thread of the pool, and `process.exit`
 * waits for all of them: the process would never end.
 */
function openStandardStreams(): void {
  void process.stdout;
  void process.stderr;
}

async function writeSome(fd: number, bytes: Buffer): Promise<number> {
  try {
    return (await writeFd(fd, bytes)).bytesWritten;
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN') throw error;
    await delay(retryMs);
    return 0;
  }
}
