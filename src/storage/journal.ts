import assert from 'node:assert';
import { dirname, join } from 'node:path';
import { errnoOf, RepricerError } from '../errors.ts';
import { makeDirectories } from '../files/directories.ts';
import type { FileSystem } from '../files/file-system.ts';
import { writeFully } from '../files/write.ts';
import type { PriceRecord, RecordPlace } from '../model/price-record.ts';
import { type Timestamp, toTimestamp } from '../model/timestamp.ts';
import { isBusy } from './is-busy.ts';
import { appendToManifest, type SealedSegment } from './manifest.ts';
import { type JournalLimits, OpenSegment, type ReadableSegment } from './open-segment.ts';
import { openSuffix, segmentFile } from './segment-file.ts';
import type { JournalCut } from './snapshot.ts';
import type { StorageEvents } from './storage-events.ts';

/** What the journal goes on from: the state that recovery left on disk, in which no segment is open. */
export interface JournalStart {
  readonly sealed: readonly SealedSegment[];
  readonly manifestBytes: number;
}

/**
 * The append-only journal: the one source of truth, from which every other file can be rebuilt.
 *
 * Invariant: when `append()` resolves, that batch and all batches appended before it are on disk.
 * Invariant: a batch is written only after the one before it is on disk.
 *
 * One batch at a time; the caller sees to it. A batch is one write and one fdatasync. Segments are
 * sealed at a size, at an age, and at UTC midnight, so a segment's records are all of its directory's date.
 *
 * After a failed sync nobody knows what reached the disk, and a retry would report success for pages
 * that the kernel has already dropped: the journal takes no more batches, and recovery at the next
 * start decides what was kept. When there is no space for a write the part of it that was taken is cut
 * off again, and the journal goes on.
 */
export class Journal {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #limits: JournalLimits;
  readonly #events: StorageEvents;
  readonly #sealed: SealedSegment[];
  #manifestBytes: number;
  #open: OpenSegment | undefined;
  /** Sealed on disk, but the manifest's line could not be written yet. */
  readonly #unlisted: SealedSegment[] = [];
  #failure: RepricerError | undefined;

  constructor(
    files: FileSystem,
    directory: string,
    limits: JournalLimits,
    events: StorageEvents,
    start: JournalStart,
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#limits = limits;
    this.#events = events;
    this.#sealed = [...start.sealed];
    this.#manifestBytes = start.manifestBytes;
  }

  get lastSeq(): number {
    return this.#open?.lastSeq ?? this.#sealed.at(-1)?.lastSeq ?? 0;
  }

  get lastTimestamp(): Timestamp | undefined {
    return this.#open?.lastTimestamp ?? this.#sealed.at(-1)?.lastTimestamp;
  }

  /** Appends one batch, given as records and as their lines; says where each line stands. */
  async append(
    records: readonly PriceRecord[],
    lines: readonly string[],
  ): Promise<readonly RecordPlace[]> {
    const [first] = records;
    assert(first !== undefined, 'a batch has at least one record');
    assert(first.seq === this.lastSeq + 1, 'a batch goes on where the one before it ended');
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(lines.join(''));
    const segment = await this.#segmentFor(first, bytes.length);
    await this.#watchTime(records.length, this.#write(segment, bytes));
    segment.wrote(bytes, records);
    return placesOf(lines, segment.file, segment.bytes - bytes.length);
  }

  /** Seals the open segment when its time has come. */
  async sealIfDue(now: Timestamp): Promise<void> {
    if (this.#failure !== undefined) return;
    // A clock that stepped back over midnight must not end a segment that the next record would go on.
    const time = toTimestamp(Math.max(now, this.lastTimestamp ?? now));
    if (this.#open?.isDue(time, this.#limits)) await this.seal();
    await this.#listSealed();
  }

  /** Seals the open segment, if there is one: synced, renamed, listed in the manifest. */
  async seal(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open !== undefined) await this.#sealOpen(this.#open);
    await this.#listSealed();
  }

  async #sealOpen(segment: OpenSegment): Promise<void> {
    await this.#giveFinalName(segment);
    const sealed = segment.summary();
    this.#sealed.push(sealed);
    this.#unlisted.push(sealed);
    this.#open = undefined;
    this.#events.segmentSealed(sealed.file, sealed.rows, sealed.lastSeq);
    await this.#closeSealed(segment);
  }

  /** Lets go of the open segment's file without sealing it, as after a failure. */
  async abandon(): Promise<void> {
    const segment = this.#open;
    this.#open = undefined;
    await segment?.handle.close();
  }

  /** The segments that hold records now, in order, the open one last. */
  segments(): readonly ReadableSegment[] {
    const open = this.#open;
    // Always a list of its own: what is sealed later is no part of a view of this moment.
    return open === undefined || open.isEmpty
      ? [...this.#sealed]
      : [...this.#sealed, open.readable()];
  }

  /** All that is on disk at this moment, for a snapshot. */
  cut(): JournalCut {
    const open = this.#open;
    const isWritten = open !== undefined && !open.isEmpty;
    const segments = isWritten ? [...this.#sealed, open.summary()] : [...this.#sealed];
    return { segments, manifestBytes: this.#manifestBytes };
  }

  async #segmentFor(first: PriceRecord, bytes: number): Promise<OpenSegment> {
    const open = this.#open;
    const isFull = open !== undefined && open.bytes + bytes > this.#limits.segmentBytesMax;
    if (isFull || open?.isDue(first.timestamp, this.#limits)) await this.seal();
    await this.#listSealed();
    this.#open ??= await this.#createSegment(first);
    return this.#open;
  }

  async #createSegment(first: PriceRecord): Promise<OpenSegment> {
    const file = segmentFile(first.seq, first.timestamp);
    const path = join(this.#directory, file);
    try {
      await makeDirectories(this.#files, dirname(path));
      const handle = await this.#files.create(`${path}${openSuffix}`);
      const segment = new OpenSegment(handle, file, first);
      await this.#files.syncDirectory(dirname(path)).catch(async (error: unknown) => {
        await this.#discard(segment);
        throw error;
      });
      return segment;
    } catch (error) {
      throw this.#refuse('a journal segment could not be created', error);
    }
  }

  /** All that the file holds was synced before, so whatever its closing says is of no concern to a writer. */
  async #closeSealed(segment: OpenSegment): Promise<void> {
    try {
      await segment.handle.close();
    } catch (error) {
      this.#events.backgroundWorkFailed('close', error, undefined);
    }
  }

  /** The steps of sealing that may fail for a passing reason; the next try goes on where this one stopped. */
  async #giveFinalName(segment: OpenSegment): Promise<void> {
    const path = join(this.#directory, segment.file);
    try {
      if (!segment.hasFinalName) await this.#files.rename(`${path}${openSuffix}`, path);
      segment.hasFinalName = true;
      await this.#files.syncDirectory(dirname(path));
    } catch (error) {
      throw this.#refuse('a journal segment could not be sealed', error);
    }
  }

  /** Reports how long a batch took, and before that that it takes long: a disk that hangs may never answer. */
  async #watchTime(records: number, writing: Promise<void>): Promise<void> {
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    const timer = setTimeout(() => this.#events.batchHangs(records, seconds()), hangMs).unref();
    try {
      await writing;
    } finally {
      clearTimeout(timer);
    }
    this.#events.batchSynced(records, seconds());
  }

  async #write(segment: OpenSegment, bytes: Buffer): Promise<void> {
    try {
      await writeFully(segment.handle, bytes, segment.bytes);
    } catch (error) {
      await this.#cutBack(segment);
      throw this.#refuse('the journal could not be written', error);
    }
    try {
      await segment.handle.datasync();
    } catch (error) {
      const failure = this.#fail('the journal could not be synced', error);
      await this.#cutBack(segment);
      throw failure;
    }
  }

  /** Takes away what a failed batch left behind the last durable one, so that no restart can read it. */
  async #cutBack(segment: OpenSegment): Promise<void> {
    try {
      if (segment.isEmpty) return await this.#discard(segment);
      await segment.handle.truncate(segment.bytes);
      // After a failed sync another one would prove nothing; recovery cuts again.
      if (this.#failure === undefined) await segment.handle.datasync();
    } catch (error) {
      this.#fail('the remains of a failed batch could not be cut off', error);
    }
  }

  /** Removes a segment in which nothing is durable: the next batch may belong to another date. */
  async #discard(segment: OpenSegment): Promise<void> {
    this.#open = undefined;
    await segment.handle.close();
    const path = join(this.#directory, `${segment.file}${openSuffix}`);
    await this.#files.remove(path);
    await this.#files.syncDirectory(dirname(path));
  }

  async #listSealed(): Promise<void> {
    for (let next = this.#unlisted[0]; next !== undefined; next = this.#unlisted[0]) {
      try {
        this.#manifestBytes = await appendToManifest(
          this.#files,
          this.#directory,
          this.#manifestBytes,
          next,
        );
      } catch (error) {
        throw this.#refuse('a sealed segment could not be listed in the manifest', error);
      }
      this.#unlisted.shift();
    }
  }

  /** The error for a call that failed: passing when the system is out of a resource, final otherwise. */
  #refuse(what: string, cause: unknown): RepricerError {
    if (this.#failure !== undefined) return this.#failure;
    const errno = errnoOf(cause) ?? '';
    if (noSpaceErrors.has(errno)) return new RepricerError('NO_SPACE', what, { cause });
    if (isBusy(cause)) return new RepricerError('STORAGE_BUSY', what, { cause });
    return this.#fail(what, cause);
  }

  #fail(what: string, cause: unknown): RepricerError {
    this.#failure ??= new RepricerError('STORAGE_FAILED', what, { cause });
    return this.#failure;
  }
}

/** A batch that is on its way to the disk for so long is reported while it still is. */
const hangMs = 1000;

const noSpaceErrors: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

function placesOf(lines: readonly string[], file: string, start: number): readonly RecordPlace[] {
  let offset = start;
  return lines.map((line) => {
    const place = { file, offset, length: Buffer.byteLength(line) };
    offset += place.length;
    return place;
  });
}
