import { nodeFileSystem } from '../../../src/files/file-system.ts';
import { verifyStore } from '../../../src/storage/verify.ts';

/** How many records a clean stop left; throws unless the store is well. */
export async function recordsOf(dataDir: string): Promise<number> {
  const { records, damages, damageCount, notes } = await verifyStore(nodeFileSystem, dataDir);
  if (damageCount === 0 && notes.length === 0) return records;
  throw new Error(`the store is not well: ${JSON.stringify({ damages, notes })}`);
}

/** The same of a process that was killed: what the next start mends is well. */
export async function recordsAfterKill(dataDir: string): Promise<number> {
  const { records, damages, damageCount } = await verifyStore(nodeFileSystem, dataDir);
  if (damageCount === 0) return records;
  throw new Error(`the store is damaged: ${JSON.stringify(damages)}`);
}

/** Throws unless the journal has exactly the records that were acknowledged; otherwise says so. */
export function requireAll(acknowledged: number, recordsVerified: number): string {
  if (recordsVerified !== acknowledged) {
    throw new Error(`${acknowledged} writes were acknowledged, the journal has ${recordsVerified}`);
  }
  const count = acknowledged.toLocaleString('en-US');
  return `${count} writes were acknowledged, and the journal has exactly as many records.`;
}
