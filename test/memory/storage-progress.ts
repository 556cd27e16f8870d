import type { StorageEvents } from '../../src/storage/storage-events.ts';

/** How far the storage has got; keeps nothing for each record. */
export class StorageProgress implements StorageEvents {
  aggregatedSeq = 0;
  checkpointedSeq = 0;
  readonly failures: string[] = [];

  batchHangs(): void {}
  batchSynced(): void {}
  segmentSealed(): void {}
  tornTailCut(): void {}
  keysLeftOut(): void {}
  roomMeasured(): void {}
  roomChanged(): void {}

  aggregated(seq: number): void {
    this.aggregatedSeq = seq;
  }

  checkpointed(seq: number): void {
    this.checkpointedSeq = seq;
  }

  backgroundWorkFailed(work: string, error: unknown): void {
    this.failures.push(`${work}: ${String(error)}`);
  }

  derivedFileRebuilt(file: string, _label: string, reason: string): void {
    this.failures.push(`${file}: ${reason}`);
  }
}
