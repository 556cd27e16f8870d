import { createHash } from 'node:crypto';
import { hasCode, RepricerError } from '../errors.ts';
import type { FileSystem } from '../files/file-system.ts';
import type { Client, Clients } from './client.ts';
import { readTokensFile } from './read-tokens-file.ts';
import { TokenIndex } from './token-index.ts';
import { parseTokenList } from './token-list.ts';

/** How long a change of the file may go unnoticed. */
const lookMs = 2000;

/** How long reading the file may take before it counts as failed. */
const readMsMax = 5000;

/** Told what became of reading the file again. */
export interface ReloadEvents {
  /** The tokens of the file are in force from now on. */
  tokensReloaded(count: number): void;
  /** The file could not be read or is broken; the tokens of before stay in force. */
  reloadFailed(error: RepricerError): void;
}

/**
 * The clients of a tokens file, which is read again when it changes and when asked to.
 *
 * Invariant: the tokens in force are those of one whole and valid content of the file, the last one
 * that was seen. A content that is broken, or cannot be read, neither locks out nor lets in anyone.
 *
 * The file is found by its path every two seconds and its content is compared, which sees a new
 * content however it got there: written in place, renamed, or behind the link that Kubernetes moves.
 * One read is under way at a time: where it hangs it holds a thread, and another would hold one more.
 */
export class ReloadedTokens implements Clients {
  readonly #files: FileSystem;
  readonly #path: string;
  #index: TokenIndex;
  /** Stands for the content that was looked at last, or for why there was none. */
  #seen: string;
  #isBroken = false;
  #events: ReloadEvents | undefined;
  /** Settles when nobody is looking at the file; each look waits for the one before. */
  #looking: Promise<void> = Promise.resolve();
  /** The read that is under way, also after it took too long. */
  #reading: Promise<Buffer> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(files: FileSystem, path: string, content: Buffer) {
    this.#files = files;
    this.#path = path;
    this.#index = new TokenIndex(parseTokenList(content));
    this.#seen = markOf(content);
  }

  /** Reads the file; throws INVALID_CONFIG with all that is wrong with it. */
  static async open(files: FileSystem, path: string): Promise<ReloadedTokens> {
    try {
      return new ReloadedTokens(files, path, await readTokensFile(files, path));
    } catch (error) {
      throw inFile(path, error);
    }
  }

  get size(): number {
    return this.#index.size;
  }

  /** Whether the file could not be read, or was broken, when it was looked at last. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  identify(token: string | undefined): Client | undefined {
    return this.#index.identify(token);
  }

  /** Looks for changes from now on, until it is closed. */
  watch(events: ReloadEvents): void {
    this.#events = events;
    this.#timer = setInterval(() => {
      if (this.#reading === undefined) void this.#look(false);
    }, lookMs);
  }

  /** Reads the file again now, and tells what came of it also when it is as it was. */
  reload(): Promise<void> {
    return this.#look(true);
  }

  /** Stops looking; the tokens stay in force. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  #look(isAsked: boolean): Promise<void> {
    this.#looking = this.#looking.then(() => this.#readAgain(isAsked));
    return this.#looking;
  }

  async #readAgain(isAsked: boolean): Promise<void> {
    let mark: string | undefined;
    try {
      const content = await this.#readInTime();
      mark = markOf(content);
      if (mark === this.#seen && !isAsked) return;
      this.#index = new TokenIndex(parseTokenList(content));
      this.#isBroken = false;
      this.#events?.tokensReloaded(this.#index.size);
    } catch (error) {
      this.#isBroken = true;
      const failure = inFile(this.#path, error);
      mark ??= failure.message;
      if (mark !== this.#seen || isAsked) this.#events?.reloadFailed(failure);
    } finally {
      this.#seen = mark ?? this.#seen;
    }
  }

  async #readInTime(): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new RepricerError('INVALID_CONFIG', `reading it takes over ${readMsMax} ms`);
      timer = setTimeout(reject, readMsMax, error);
    });
    try {
      return await Promise.race([this.#read(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #read(): Promise<Buffer> {
    this.#reading ??= readTokensFile(this.#files, this.#path).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }
}

function markOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The refusal of a file's content, with the file's name in each line; throws every other error again. */
function inFile(path: string, error: unknown): RepricerError {
  if (!hasCode(error, 'INVALID_CONFIG')) throw error;
  const lines = error.message.split('\n').map((line) => `tokens file ${path}: ${line}`);
  return new RepricerError('INVALID_CONFIG', lines.join('\n'), { cause: error.cause });
}
