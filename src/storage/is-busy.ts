import { errnoOf } from '../errors.ts';

/** Whether a system call failed because the system is out of something that others will give back. */
export function isBusy(error: unknown): boolean {
  return busyErrors.has(errnoOf(error) ?? '');
}

const busyErrors: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
