#!/usr/bin/env node
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { backUp } from './cli/back-up.ts';
import type { CommandReport } from './cli/command-report.ts';
import type { ProgressOutput } from './cli/copy-progress.ts';
import { createTokenFor } from './cli/create-token.ts';
import { fixDerived } from './cli/fix-derived.ts';
import { repair } from './cli/repair.ts';
import { restore } from './cli/restore.ts';
import { serve } from './cli/serve.ts';
import { verify } from './cli/verify.ts';
import { configHelp } from './config/config-help.ts';
import {
  readProcessConfig,
  readProcessDataDir,
  readProcessServiceAddress,
} from './config/read-config.ts';
import { serviceIdentity } from './config/service-identity.ts';
import { RepricerError } from './errors.ts';
import { type ExitCode, exitCode, exitCodeOf } from './exit-code.ts';
import { type FileSystem, nodeFileSystem } from './files/file-system.ts';
import { FileThread } from './files/file-thread.ts';
import { writeToFd } from './files/output.ts';
import { createSystemClock } from './ledger/clock.ts';
import { createLog } from './ops/log.ts';

/* The process: which command, its signals, and the code it ends with. */

const stdout = 1;
const stderr = 2;

/** Signals that come within this time of the first one are taken for the same. */
const sameSignalMs = 500;

/** How long calls to the file system that are under way may hold up the end of the process. */
const lastCallsMs = 2000;

/** How often it is looked whether they have returned. */
const lastCallsLookMs = 10;

const usage = `Usage: repricer <command> [flags]

Commands:
  serve    serve the price ledger over HTTP until SIGTERM or SIGINT
  verify   read everything in a data directory and check it; changes nothing
           --fix-derived: make product files, checkpoint and manifest anew from a good journal
  repair   tell what of a damaged journal can be mended from product files; changes nothing
           --dry-run: the same, said aloud
           --apply: mend it, and keep what is replaced as *.broken
  token create --name NAME --scope read,reprice,admin [--prefix P] [--tokens-file F]
           print a new token, this one time, and its entry for the tokens file; or add that to F
  backup DIR
           copy the data directory into DIR, also while a service with --admin writes to it, which
           --host and --backplane-port name; what DIR has of an earlier backup is not copied again
           REPRICER_TOKEN: a token with the scope admin, where the service has a tokens file
  restore DIR
           check the backup in DIR, copy it into the data directory, which must be empty, and verify it

Flags of serve, each also an environment variable (the others take --data-dir only):
${configHelp()}

Exit codes: 0 done, 1 a stop passed its deadline or a mistake of ours, 64 bad flags,
65 damaged data, 74 reading or writing failed, 75 another process owns the directory,
137 instead of any of them when a call to the file system hangs.
`;

const [command = '', ...flags] = process.argv.slice(2);
const fileThread = new FileThread();
await end(await run());

async function run(): Promise<ExitCode> {
  const isHelpAsked = [command, ...flags].some((word) => word === '--help' || word === '-h');
  if (isHelpAsked || command === 'help') {
    await print(usage);
    return exitCode.ok;
  }
  try {
    if (command === 'serve') return await runServe();
    if (command === 'verify') return await runVerify();
    if (command === 'repair') return await runRepair();
    if (command === 'token' && flags[0] === 'create') return await runTokenCreate();
    if (command === 'backup') return await runBackup();
    if (command === 'restore') return await runRestore();
  } catch (error) {
    await complain(error instanceof Error ? error.message : String(error));
    return exitCodeOf(error);
  }
  await complain(`${JSON.stringify(command)} is not a command; "repricer --help" lists them`);
  return exitCode.usage;
}

async function runServe(): Promise<ExitCode> {
  // V8 would learn that objects of requests live long, and make them old: dead, they keep what they point to
  // until the next full collection, and collections of young objects take 20 ms. See docs/performance.md.
  setFlagsFromString('--no-allocation-site-pretenuring');
  const config = readProcessConfig(flags);
  const isTerminal = isatty(stdout);
  const identity = serviceIdentity(config);
  const log = createLog({ level: config.logLevel, write: writeToFd(stdout), identity, isTerminal });
  try {
    const files: FileSystem = { ...nodeFileSystem, manyFiles: fileThread };
    const parts = { files, clock: createSystemClock(), log, onReloadAsked };
    return await serve(config, parts, stopSignal());
  } catch (error) {
    const label = error instanceof RepricerError ? error.label : undefined;
    log.error('the service could not start', { case: label, error });
    return exitCodeOf(error);
  } finally {
    await log.close();
  }
}

async function runVerify(): Promise<ExitCode> {
  const { directory, isGiven } = readProcessDataDir(flags, '--fix-derived');
  return tell(await (isGiven ? fixDerived : verify)(nodeFileSystem, directory));
}

async function runRepair(): Promise<ExitCode> {
  const dryRun = '--dry-run';
  const others = flags.filter((word) => word !== dryRun);
  const { directory, isGiven } = readProcessDataDir(others, '--apply');
  if (isGiven && others.length < flags.length) {
    throw new RepricerError('INVALID_CONFIG', `--apply and ${dryRun} exclude each other`);
  }
  return tell(await repair(nodeFileSystem, directory, isGiven));
}

async function runTokenCreate(): Promise<ExitCode> {
  // A tokens file is for the service's user alone.
  process.umask(0o077);
  return tell(await createTokenFor(nodeFileSystem, flags.slice(1)));
}

async function runBackup(): Promise<ExitCode> {
  const [target, others] = takeDirectory();
  const address = readProcessServiceAddress(others);
  return tell(await backUp(nodeFileSystem, target, address, progressOutput()));
}

async function runRestore(): Promise<ExitCode> {
  const [backup, others] = takeDirectory();
  const { directory } = readProcessDataDir(others);
  return tell(await restore(nodeFileSystem, backup, directory, progressOutput()));
}

/** The directory that a command is given as its first word, and its flags. */
function takeDirectory(): readonly [string, readonly string[]] {
  const [directory = '', ...others] = flags;
  if (directory !== '' && !directory.startsWith('-')) return [directory, others];
  const why = `"repricer ${command}" takes the directory of the backup before any flag`;
  throw new RepricerError('INVALID_CONFIG', why);
}

function progressOutput(): ProgressOutput {
  const write = writeToFd(stderr);
  return { write: (text) => write(Buffer.from(text)), isTerminal: isatty(stderr) };
}

async function tell({ code, lines }: CommandReport): Promise<ExitCode> {
  await print(lines.join('\n'));
  return code;
}

/**
 * Resolves with the first signal that asks for a stop. Another one ends the process at once, which is
 * always safe; but Ctrl-C on `npm start` comes twice, from the terminal and from npm, so not at first.
 */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let askedAtMs: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        askedAtMs ??= performance.now();
        if (performance.now() - askedAtMs > sameSignalMs) void end(exitCode.failed);
        resolve(signal);
      });
    }
  });
}

/**
 * Ends the process with this code, and soon. `process.exit` waits for every call to the file system that is
 * under way, so where one hangs the process is killed, as it would keep the lock of its directory for ever;
 * the kernel then gives the code. Process 1 of a container cannot be killed from inside, and is ended by
 * whoever runs the container.
 */
async function end(code: ExitCode): Promise<never> {
  const endMs = performance.now() + lastCallsMs;
  while (isInFileCall() && performance.now() < endMs) await delay(lastCallsLookMs);
  if (isInFileCall()) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}

function isInFileCall(): boolean {
  const isInCall = process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
  return isInCall || fileThread.isBusy;
}

/** A SIGHUP ends a process as ever until there is somebody who takes it. */
function onReloadAsked(reload: () => void): void {
  process.on('SIGHUP', reload);
}

/** Resolves when the reader has it all: `process.exit` would cut off what waits in a pipe. */
function print(text: string): Promise<void> {
  return writeToFd(stdout)(Buffer.from(`${text}\n`));
}

function complain(problem: string): Promise<void> {
  return writeToFd(stderr)(Buffer.from(`repricer: ${problem}\n`));
}
