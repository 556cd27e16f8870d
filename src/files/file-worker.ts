import assert from 'node:assert';
import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { errnoOf } from '../errors.ts';
import type { Append } from './many-files.ts';

/* The thread of a `FileThread`: it does what it is told, in order, and waits for the disk meanwhile. */

/** What to do with many files: something to add to each, or the paths of those to sync. */
export type FileTask =
  | { readonly appends: readonly Append[] }
  | { readonly syncs: readonly string[] };

/** A request of the thread's owner. */
export interface FileRequest {
  readonly id: number;
  readonly task: FileTask;
}

/** The outcomes of a request; an error comes as parts of it, as a copy of it would lack its code. */
export interface FileReply {
  readonly id: number;
  readonly outcomes: readonly ('done' | 'unfit' | FailedCall)[];
}

/** Node's error for a call of the file system. */
export interface FailedCall {
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}

parentPort?.on('message', ({ id, task }: FileRequest) => {
  const outcomes =
    'appends' in task
      ? task.appends.map((append) => outcomeOf(() => appendTo(append)))
      : task.syncs.map((path) => outcomeOf(() => sync(path)));
  const reply: FileReply = { id, outcomes };
  parentPort?.postMessage(reply);
});

function outcomeOf(work: () => 'done' | 'unfit'): FileReply['outcomes'][number] {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      message: error.message,
      code: errnoOf(error),
      syscall: (error as NodeJS.ErrnoException).syscall,
    };
  }
}

/** Adds the text to the file if that is as it must be. */
function appendTo({ path, text, isNew }: Append): 'done' | 'unfit' {
  const fd = isNew ? createOrOpen(path) : openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    if ((size === 0) !== isNew) return 'unfit';
    writeFully(fd, Buffer.from(text), size);
    return 'done';
  } finally {
    closeSync(fd);
  }
}

function sync(path: string): 'done' {
  const fd = openSync(path, 'r+');
  try {
    fdatasyncSync(fd);
    return 'done';
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
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return openSync(path, 'r+');
    if (errno !== 'ENOENT') throw error;
  }
  // It is the first of its directory.
  ensureDirectory(dirname(path));
  return openSync(path, 'wx+');
}

/** As `ensureDirectory` of `directories.ts`, without promises. */
function ensureDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
