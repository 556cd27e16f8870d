import type { FileSystem } from '../files/file-system.ts';
import type { StorageEvents } from './storage-events.ts';

/**
 * Watches the room on the volume, so that writes stop before the disk is full and start again by
 * themselves. Below the watermark there is still room for what product files owe the journal.
 */
export class VolumeGuard {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #freeBytesMin: number;
  readonly #events: StorageEvents;
  #hasRoom = true;
  #freeBytes = 0;

  constructor(files: FileSystem, directory: string, freeBytesMin: number, events: StorageEvents) {
    this.#files = files;
    this.#directory = directory;
    this.#freeBytesMin = freeBytesMin;
    this.#events = events;
  }

  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /** Looks at the volume; to be called about once a second. */
  async check(): Promise<void> {
    const { freeBytes, freeFiles } = await this.#files.room(this.#directory);
    this.#freeBytes = freeBytes;
    this.#events.roomMeasured(freeBytes, freeFiles);
    this.#set(freeBytes >= this.#freeBytesMin && freeFiles > 0);
  }

  /** Says that a write met no space, whatever the volume claims; the next `check` may find room again. */
  foundFull(): void {
    this.#set(false);
  }

  #set(hasRoom: boolean): void {
    if (hasRoom === this.#hasRoom) return;
    this.#hasRoom = hasRoom;
    this.#events.roomChanged(hasRoom, this.#freeBytes);
  }
}
