import { join } from 'node:path';
import { z } from 'zod';
import { isSystemError } from '../errors.ts';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { readFile } from '../files/read-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { setAside } from '../files/set-aside.ts';
import { ClientStatistics, type CountedClients, countedClients } from './client-statistics.ts';

/** Beside the journal, and no part of it: its name in the data directory. */
const statisticsFile = 'clients.json';

/** What a crash loses of the counts, at most. */
const saveIntervalMs = 10_000;

/** Told what became of the file. */
export interface StatisticsEvents {
  /** It is damaged or cannot be read, and has another name now if it could get one; counting began anew. */
  statisticsLost(error: unknown, savedAs: string | undefined): void;
  /** It could not be written, and is written again later. */
  saveFailed(error: unknown): void;
}

/**
 * The statistics of clients in a file of their own, which outlive the process: written every ten seconds
 * when something was counted, and at the end. They are no part of the ledger: it goes on when they cannot
 * be written, and a crash loses the last of them.
 */
export class KeptStatistics {
  readonly #files: FileSystem;
  readonly #path: string;
  readonly #events: StatisticsEvents;
  readonly #timer: NodeJS.Timeout;
  /** The content as it was saved last, or as it is while nothing was counted. */
  #saved: string;
  /** Settles when nothing is being written. */
  #saving: Promise<void> | undefined;

  readonly statistics: ClientStatistics;

  private constructor(
    files: FileSystem,
    path: string,
    events: StatisticsEvents,
    before: CountedClients | undefined,
    intervalMs: number,
  ) {
    this.#files = files;
    this.#path = path;
    this.#events = events;
    this.statistics = new ClientStatistics(before);
    this.#saved = encode(this.statistics.counted);
    this.#timer = setInterval(() => {
      this.#saving ??= this.#save().finally(() => {
        this.#saving = undefined;
      });
    }, intervalMs);
  }

  /** Goes on from what the file has, or begins anew where nobody can tell what that is. */
  static async open(
    files: FileSystem,
    directory: string,
    events: StatisticsEvents,
    intervalMs = saveIntervalMs,
  ): Promise<KeptStatistics> {
    const path = join(directory, statisticsFile);
    let before: CountedClients | undefined;
    try {
      before = await read(files, path);
    } catch (error) {
      if (!isLoss(error)) throw error;
      events.statisticsLost(error, await setAsideIfPossible(files, path));
    }
    return new KeptStatistics(files, path, events, before, intervalMs);
  }

  /** Writes what was counted last. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.#save();
  }

  async #save(): Promise<void> {
    const text = encode(this.statistics.counted);
    if (text === this.#saved) return;
    try {
      await replaceFile(this.#files, this.#path, [Buffer.from(text)]);
      this.#saved = text;
    } catch (error) {
      this.#events.saveFailed(error);
    }
  }
}

/** Undefined when there is none; throws what `isLoss` knows. */
async function read(files: FileSystem, path: string): Promise<CountedClients | undefined> {
  try {
    return countedClients.parse(JSON.parse((await readFile(files, path)).toString()));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What may be wrong with a file: its text, its form, or that the system does not give it. */
function isLoss(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof z.ZodError || isSystemError(error);
}

async function setAsideIfPossible(files: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await setAside(files, path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** A line for each client, so that it is easily read. */
function encode({ since, clients }: CountedClients): string {
  const lines = clients.map((client) => `\n  ${JSON.stringify(client)}`);
  return `{"since":${JSON.stringify(since)},"clients":[${lines.join(',')}\n]}\n`;
}
