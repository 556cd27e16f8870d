import { join } from 'node:path';
import { z } from 'zod';
import { type FileSystem, isMissing } from '../files/file-system.ts';
import { readFile } from '../files/read-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { setAside } from '../files/set-aside.ts';
import { ClientStatistics, type CountedClients, countedClients } from './client-statistics.ts';

/** Beside the journal, and no part of it: its name in the data directory. */
export const statisticsFile = 'clients.json';

/** What a crash loses of the counts, at most. */
const saveIntervalMs = 10_000;

/** Told what became of the file. */
export interface StatisticsEvents {
  /** It was damaged and is now under another name; counting began anew. */
  statisticsSetAside(broken: string): void;
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
  #saved = '';
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
    this.#timer = setInterval(() => {
      this.#saving ??= this.#save().finally(() => {
        this.#saving = undefined;
      });
    }, intervalMs);
  }

  /** Goes on from what the file has; throws when it cannot be read. */
  static async open(
    files: FileSystem,
    directory: string,
    events: StatisticsEvents,
    intervalMs = saveIntervalMs,
  ): Promise<KeptStatistics> {
    const path = join(directory, statisticsFile);
    const text = await readIfPresent(files, path);
    const before = text === undefined ? undefined : parse(text);
    if (text !== undefined && before === undefined) {
      events.statisticsSetAside(await setAside(files, path));
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

async function readIfPresent(files: FileSystem, path: string): Promise<string | undefined> {
  try {
    return (await readFile(files, path)).toString();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function parse(text: string): CountedClients | undefined {
  try {
    return countedClients.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** A line for each client, so that it is easily read. */
function encode({ since, clients }: CountedClients): string {
  const lines = clients.map((client) => `\n  ${JSON.stringify(client)}`);
  return `{"since":${JSON.stringify(since)},"clients":[${lines.join(',')}\n]}\n`;
}
