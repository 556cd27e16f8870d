import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { PriceRecord } from '../../src/model/price-record.ts';
import { openStorage, RecordedEvents } from './store.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/* Data directories as stops and crashes leave them, and what a test does to and reads from them. */

/** As `crashedDirectory` with nothing aggregated yet, as when the process ended before it got so far. */
export async function unaggregatedDirectory(
  t: ExecutionContext,
  batches: readonly (readonly PriceRecord[])[],
): Promise<string> {
  const directory = await crashedDirectory(t, batches);
  await rm(join(directory, 'results_by_product'), { recursive: true, force: true });
  return directory;
}

/** A directory in which these batches were appended and then the process ended without a stop. */
export async function crashedDirectory(
  t: ExecutionContext,
  batches: readonly (readonly PriceRecord[])[],
  start?: string,
): Promise<string> {
  const running = start ?? (await temporaryDirectory(t));
  const storage = await openStorage(running);
  for (const batch of batches) await storage.append(batch);
  // What a process that is killed leaves is what stands there now.
  const crashed = await copyOf(t, running);
  await storage.close();
  return crashed;
}

/** A directory in which these batches were appended, after a clean stop. */
export async function closedDirectory(
  t: ExecutionContext,
  batches: readonly (readonly PriceRecord[])[],
): Promise<string> {
  const directory = await temporaryDirectory(t);
  const storage = await openStorage(directory);
  for (const batch of batches) await storage.append(batch);
  await storage.close();
  return directory;
}

export async function copyOf(t: ExecutionContext, directory: string): Promise<string> {
  const copy = await temporaryDirectory(t);
  // Product files come and go while they are copied, and recovery has to cope with what it gets.
  await cp(directory, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

export async function recover(directory: string): Promise<RecordedEvents> {
  const events = new RecordedEvents();
  const storage = await openStorage(directory, { events });
  await storage.close();
  return events;
}

export async function journalOf(directory: string): Promise<string> {
  const files = await filesOf(join(directory, 'results'));
  const segments = files.filter((file) => file.endsWith('.ndjson')).sort();
  return (await Promise.all(segments.map((file) => readFile(file, 'utf8')))).join('');
}

export async function brokenTailOf(directory: string): Promise<Buffer> {
  const files = await filesOf(join(directory, 'results'));
  const [broken] = files.filter((file) => file.endsWith('.broken'));
  return broken === undefined ? Buffer.alloc(0) : readFile(broken);
}

/** Every file and its content. */
export async function contentsOf(directory: string): Promise<Record<string, string>> {
  const files = await filesOf(directory);
  const entries = files.map(async (file) => [file, await readFile(file, 'latin1')] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function filesOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

export async function flipBit(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  await writeFile(path, bytes);
}
