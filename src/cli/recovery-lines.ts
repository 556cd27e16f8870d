import type { RecoveryEvents } from '../storage/storage-events.ts';

/** Keeps what a recovery reports as lines for the reader of a command. */
export class RecoveryLines implements RecoveryEvents {
  readonly lines: string[] = [];

  tornTailCut(file: string, offset: number, bytes: number, savedAs: string): void {
    this.lines.push(
      `cut             ${file}, offset ${offset}: a torn tail of ${bytes} bytes, kept as ${savedAs}`,
    );
  }

  derivedFileRebuilt(file: string): void {
    this.lines.push(`made anew       ${file}`);
  }
}
