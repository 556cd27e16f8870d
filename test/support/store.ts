import type { ExecutionContext } from 'ava';
import { type FileSystem, nodeFileSystem } from '../../src/files/file-system.ts';
import { describeDamage } from '../../src/storage/damage.ts';
import { FileStorage, type FileStorageOptions } from '../../src/storage/file-storage.ts';
import type { StorageEvents } from '../../src/storage/storage-events.ts';
import { type VerifyReport, verifyStore } from '../../src/storage/verify.ts';
import { TestClock } from './records.ts';

/** Asserts that every rule of the format holds in a data directory, and gives what was found. */
export async function checkStore(t: ExecutionContext, directory: string): Promise<VerifyReport> {
  const report = await verifyStore(nodeFileSystem, directory);
  t.deepEqual(report.damages.map(describeDamage), [], 'the store checks itself');
  return report;
}

/** Asserts also that nothing is left for a next start to mend, as after a clean stop. */
export async function checkCleanStore(
  t: ExecutionContext,
  directory: string,
): Promise<VerifyReport> {
  const report = await checkStore(t, directory);
  t.deepEqual(report.notes, [], 'the store needs no mending');
  return report;
}

/** Events by name, in the order in which they came. */
export class RecordedEvents implements StorageEvents {
  readonly all: { readonly name: string; readonly args: readonly unknown[] }[] = [];

  readonly #waiting: (() => void)[] = [];

  /** The arguments of all events with this name. */
  of(name: keyof StorageEvents): readonly (readonly unknown[])[] {
    return this.all.filter((event) => event.name === name).map(({ args }) => args);
  }

  /** Resolves once an event with this name and these arguments has come. */
  async until(name: keyof StorageEvents, ...args: readonly unknown[]): Promise<void> {
    const isIt = (event: { readonly name: string; readonly args: readonly unknown[] }) =>
      event.name === name && args.every((arg, index) => event.args[index] === arg);
    while (!this.all.some(isIt)) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  batchHangs = this.#recorder('batchHangs');
  batchSynced = this.#recorder('batchSynced');
  segmentSealed = this.#recorder('segmentSealed');
  tornTailCut = this.#recorder('tornTailCut');
  aggregated = this.#recorder('aggregated');
  checkpointed = this.#recorder('checkpointed');
  backgroundWorkFailed = this.#recorder('backgroundWorkFailed');
  derivedFileRebuilt = this.#recorder('derivedFileRebuilt');
  keysLeftOut = this.#recorder('keysLeftOut');
  roomMeasured = this.#recorder('roomMeasured');
  roomChanged = this.#recorder('roomChanged');

  #recorder(name: keyof StorageEvents): (...args: readonly unknown[]) => void {
    return (...args) => {
      this.all.push({ name, args });
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}

/** Large bounds and no watermark, so that only what a test sets gets in its way. */
export const testOptions: Omit<FileStorageOptions, 'directory'> = {
  segmentBytesMax: 1_000_000,
  segmentAgeMaxMs: 3_600_000,
  flushIntervalMs: 1,
  checkpointIntervalMs: 3_600_000,
  checkpointBytesMax: 1_000_000,
  backlogRecordsMax: 100_000,
  backlogWaitMs: 0,
  freeBytesMin: 0,
};

export interface StorageParts {
  readonly files?: FileSystem;
  readonly events?: StorageEvents;
  readonly clock?: TestClock;
  readonly options?: Partial<FileStorageOptions>;
}

export function openStorage(
  directory: string,
  { files = nodeFileSystem, events, clock, options }: StorageParts = {},
): Promise<FileStorage> {
  return FileStorage.open(
    files,
    { ...testOptions, directory, ...options },
    events ?? new RecordedEvents(),
    (clock ?? new TestClock()).read,
  );
}
