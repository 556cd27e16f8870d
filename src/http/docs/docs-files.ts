import { createRequire } from 'node:module';
import { RepricerError } from '../../errors.ts';
import { type KeptAnswer, keepAnswer } from '../server/answer-kept.ts';
import { startScript } from './start-script.ts';

const javascript = 'text/javascript; charset=utf-8';

/** What the page consists of, and where it comes from: a file of a package, or a text of ours. */
const sources: ReadonlyMap<string, Source> = new Map([
  ['swagger-ui-bundle.js', { type: javascript, file: 'swagger-ui-dist/swagger-ui-bundle.js' }],
  ['swagger-ui.css', { type: 'text/css; charset=utf-8', file: 'swagger-ui-dist/swagger-ui.css' }],
  ['start.js', { type: javascript, text: startScript }],
]);

export const docsFileNames: readonly string[] = [...sources.keys()];

type Source = { readonly type: string } & ({ readonly file: string } | { readonly text: string });

/** Reads a file of the installation; its path is absolute. */
export type ReadFile = (path: string) => Promise<Buffer>;

/**
 * The files of the documentation page, each read when it is first asked for and then kept: 2 MB that a
 * service does without whose documentation nobody reads.
 */
export class DocsFiles {
  readonly #readFile: ReadFile;
  readonly #kept = new Map<string, Promise<KeptAnswer>>();

  constructor(readFile: ReadFile) {
    this.#readFile = readFile;
  }

  /** `NOT_FOUND` for any other name. What cannot be read now is tried again the next time. */
  async get(name: string): Promise<KeptAnswer> {
    const source = sources.get(name);
    if (source === undefined)
      throw new RepricerError('NOT_FOUND', 'There is nothing at this path.');
    const kept = this.#kept.get(name) ?? this.#read(source);
    this.#kept.set(name, kept);
    try {
      return await kept;
    } catch (error) {
      this.#kept.delete(name);
      throw error;
    }
  }

  async #read(source: Source): Promise<KeptAnswer> {
    const bytes =
      'text' in source ? Buffer.from(source.text) : await this.#readFile(pathOf(source.file));
    return keepAnswer(source.type, bytes);
  }
}

const { resolve } = createRequire(import.meta.url);

function pathOf(file: string): string {
  return resolve(file);
}
