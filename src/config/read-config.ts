import assert from 'node:assert/strict';
import { type Config, optionNames, type ServiceAddress, tokenVariable } from './options.ts';
import { type Environment, readOptions } from './read-options.ts';

/**
 * The frozen config that flags (`--queue-max 10`) and variables (`REPRICER_QUEUE_MAX=10`) give; a
 * flag wins over its variable. Throws `INVALID_CONFIG` with a line for every broken rule at once.
 * Unknown flags and unknown `REPRICER_*` variables break a rule, as a misspelt limit would
 * otherwise leave the default in force unnoticed.
 */
export function readConfig(env: Environment, argv: readonly string[]): Config {
  const values = readOptions(optionNames, env, argv);
  assert(isConfig(values));
  return Object.freeze(values);
}

/** `readConfig` on the environment of this process. */
export function readProcessConfig(argv: readonly string[]): Config {
  return readConfig(process.env, argv);
}

/** The data directory alone, for commands that take no other flag; otherwise as `readConfig`. */
export function readDataDir(env: Environment, argv: readonly string[]): string {
  const { dataDir } = readOptions(['dataDir'], env, argv);
  assert(dataDir !== undefined);
  return dataDir;
}

/** `readDataDir` on the environment of this process, and whether `flag`, if any, was given, which takes no value. */
export function readProcessDataDir(
  argv: readonly string[],
  flag?: string,
): { readonly directory: string; readonly isGiven: boolean } {
  const others = argv.filter((word) => word !== flag);
  return { directory: readDataDir(process.env, others), isGiven: others.length < argv.length };
}

/** Where a command finds the running service, and the token for it; otherwise as `readDataDir`. */
export function readProcessServiceAddress(argv: readonly string[]): ServiceAddress {
  const { dataDir, host, backplanePort } = readOptions(
    ['dataDir', 'host', 'backplanePort'],
    process.env,
    argv,
  );
  assert(dataDir !== undefined && host !== undefined && backplanePort !== undefined);
  return { dataDir, host, backplanePort, token: process.env[tokenVariable]?.trim() };
}

function isConfig(values: Partial<Config>): values is Config {
  return optionNames.every((name) => values[name] !== undefined);
}
