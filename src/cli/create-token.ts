import { parseArgs } from 'node:util';
import { scopes } from '../access/client.ts';
import { readTokensFile } from '../access/read-tokens-file.ts';
import { createToken, hashToken } from '../access/token.ts';
import {
  checkTokenEntry,
  encodeTokenEntry,
  encodeTokenList,
  parseTokenList,
  type TokenEntry,
} from '../access/token-list.ts';
import { errnoOf, hasCode, RepricerError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import type { FileSystem } from '../files/file-system.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { CommandReport } from './command-report.ts';

/**
 * `repricer token create`: a new token, which is told this one time and stored nowhere. With
 * `--tokens-file` its entry is added to that file, which is made when there is none; otherwise the
 * entry is told in a second line. Throws INVALID_CONFIG when a flag, or the file, breaks a rule.
 */
export async function createTokenFor(
  files: FileSystem,
  argv: readonly string[],
): Promise<CommandReport> {
  const { tokensFile, ...wanted } = readFlags(argv);
  const token = createToken();
  const entry = checkTokenEntry({ ...wanted, sha256: hashToken(token).toString('hex') });
  if (tokensFile === undefined) {
    return { code: exitCode.ok, lines: [token, encodeTokenEntry(entry)] };
  }
  await addEntry(files, tokensFile, entry);
  return { code: exitCode.ok, lines: [token] };
}

/** All may be repeated for the parser, which would otherwise take the last one and say nothing. */
const valued = { type: 'string', multiple: true } as const;
const flags = { name: valued, scope: valued, prefix: valued, 'tokens-file': valued } as const;

function readFlags(argv: readonly string[]) {
  const { name, scope, prefix: prefixes, 'tokens-file': tokensFiles } = parseFlags(argv);
  const prefix = onlyOne('--prefix', prefixes);
  const tokensFile = onlyOne('--tokens-file', tokensFiles);
  if (tokensFile === '') throw new RepricerError('INVALID_CONFIG', '--tokens-file has no value');
  return {
    name: onlyOne('--name', name),
    scopes: scope?.flatMap((list) => list.split(',')),
    ...(prefix !== undefined && { productPrefix: prefix }),
    ...(tokensFile !== undefined && { tokensFile }),
  };
}

function onlyOne(flag: string, values: readonly string[] = []): string | undefined {
  if (values.length > 1) throw new RepricerError('INVALID_CONFIG', `${flag} is given twice`);
  return values[0];
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags }).values;
  } catch (error) {
    if (errnoOf(error)?.startsWith('ERR_PARSE_ARGS_') !== true) throw error;
    const usage = `token create takes --name, --scope ${scopes.join(',')}, --prefix and --tokens-file`;
    throw new RepricerError('INVALID_CONFIG', usage, { cause: error });
  }
}

async function addEntry(files: FileSystem, path: string, entry: TokenEntry): Promise<void> {
  const entries = [...(await entriesIn(files, path)), entry];
  const content = Buffer.from(encodeTokenList(entries));
  // As the service will read it: a name that is there already is refused here.
  parseTokenList(content);
  await replaceFile(files, path, [content]);
}

async function entriesIn(files: FileSystem, path: string): Promise<readonly TokenEntry[]> {
  try {
    return parseTokenList(await readTokensFile(files, path));
  } catch (error) {
    if (hasCode(error, 'INVALID_CONFIG') && errnoOf(error.cause) === 'ENOENT') return [];
    throw error;
  }
}
