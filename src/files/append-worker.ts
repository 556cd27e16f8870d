import assert from 'node:assert';
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { errnoOf } from '../errors.ts';
import type { Append } from './append.ts';

/* The thread of an `AppendThread`: it does what it is told, in order, and waits for the disk meanwhile. */

/** A request of the thread's owner. */
export interface AppendRequest {
  readonly id: number;
  readonly appends: readonly Append[];
}

/** The outcomes of a request; an error comes as what is copied of it, which lacks its code. */
export interface AppendReply {
  readonly id: number;
  readonly outcomes: readonly ('done' | 'unfit' | FailedCall)[];
}

/** Node's error for a call of the file system. */
export interface FailedCall {
  readonly message: string;
  readonly code: string | undefined;
}

parentPort?.on('message', ({ id, appends }: AppendRequest) => {
  const reply: AppendReply = { id, outcomes: appends.map(outcomeOf) };
  parentPort?.postMessage(reply);
});

function outcomeOf(append: Append): 'done' | 'unfit' | FailedCall {
  try {
    return appendTo(append) ? 'done' : 'unfit';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { message: error.message, code: errnoOf(error) };
  }
}

/** Whether the file was as it must be, and has the text now. */
function appendTo({ path, text, isNew }: Append): boolean {
  const fd = isNew ? createOrOpen(path) : openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    if ((size === 0) !== isNew) return false;
    writeFully(fd, Buffer.from(text), size);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** As `writeFully` of `write.ts`, without promises. */
function writeFully(fd: number, bytes: Buffer, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    const count = writeSync(fd, bytes, written, bytes.length - written, position + written);
    assert(count > 0, 'a write of at least one byte took none');
    written += count;
  }
}

function createOrOpen(path: string): number {
  try {
    return openSync(path, 'wx+');
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return openSync(path, 'r+');
  }
}
