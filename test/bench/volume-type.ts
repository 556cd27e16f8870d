import { statfs } from 'node:fs/promises';

/** The numbers by which Linux names file systems (`man 2 statfs`), as far as a benchmark meets them. */
const names: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlay'],
  [0x6969, 'nfs'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** The file system that holds `path`, by name where it is known. */
export async function volumeType(path: string): Promise<string> {
  const { type } = await statfs(path);
  return names.get(type) ?? `file system 0x${type.toString(16)}`;
}

/** Whether a file system keeps its files in memory: there a sync costs nothing, and figures mean nothing. */
export function isInMemory(type: string): boolean {
  return type === 'tmpfs' || type === 'ramfs';
}
