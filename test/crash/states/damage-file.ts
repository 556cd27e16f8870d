import { posix } from 'node:path';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Tree, TreeFile } from './tree.ts';

/** What may happen to a file behind the back of the service. */
export const damageKinds = [
  'bit flip',
  'zeroed sector',
  'copied chunk',
  'emptied',
  'deleted',
  'swapped',
  'duplicated',
  'old version',
] as const;

export type DamageKind = (typeof damageKinds)[number];

/**
 * `rotten`: the disk gives other bytes, and no time changes. `changed`: a program did it, so the
 * kernel's times are later than all others, those of the directory too where names came or went.
 */
export type DamageCause = 'rotten' | 'changed';

export interface DamagePlan {
  readonly kind: DamageKind;
  readonly cause: DamageCause;
  /** Absolute. */
  readonly path: string;
  /** Only bytes from here to `end` are damaged, where the kind allows that. */
  readonly from: number;
  readonly end: number;
  /** What it is swapped with. */
  readonly other: string;
  readonly duplicate: string;
  readonly oldVersion: Buffer;
}

/** Rot changes bytes; everything else takes a program. */
export function canRot(kind: DamageKind): boolean {
  return kind === 'bit flip' || kind === 'zeroed sector' || kind === 'copied chunk';
}

/** A copy of the tree in which a file is damaged. */
export function damageFile(tree: Tree, plan: DamagePlan, random: SeededRandom): Tree {
  const damaged = tree.copy();
  const bytes = Buffer.from(contentAt(tree, plan.path).bytes);
  const put = (path: string, content: Buffer) => putContent(damaged, path, content, plan.cause);
  if (plan.kind === 'emptied') put(plan.path, Buffer.alloc(0));
  else if (plan.kind === 'old version') put(plan.path, plan.oldVersion);
  else if (plan.kind === 'deleted') damaged.apply({ kind: 'remove', path: plan.path }, later(tree));
  else if (plan.kind === 'duplicated') {
    const file = Math.max(...tree.files.keys()) + 1;
    damaged.apply({ kind: 'create', path: plan.duplicate, file }, later(tree));
    put(plan.duplicate, bytes);
  } else if (plan.kind === 'swapped') {
    put(plan.path, contentAt(tree, plan.other).bytes);
    put(plan.other, bytes);
  } else put(plan.path, damageBytes(bytes, plan, random));
  return damaged;
}

const sectorBytes = 64;

/** Sectors are small here, as the files are. */
function damageBytes(bytes: Buffer, { kind, from, end }: DamagePlan, random: SeededRandom): Buffer {
  const at = from + random.integer(end - from);
  const stop = Math.min(end, at + sectorBytes);
  if (kind === 'bit flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8));
  else if (kind === 'zeroed sector') bytes.fill(0, at, stop);
  else bytes.copyWithin(at, from + random.integer(end - from), from + stop - at);
  return bytes;
}

function contentAt(tree: Tree, path: string): TreeFile {
  const content = tree.files.get(tree.fileAt(path) ?? 0);
  if (content === undefined) throw new Error(`there is no ${posix.basename(path)}`);
  return content;
}

function putContent(tree: Tree, path: string, bytes: Buffer, cause: DamageCause): void {
  const old = contentAt(tree, path);
  const at = later(tree);
  const times = cause === 'rotten' ? {} : { changedAtNs: at, modifiedAtNs: at };
  tree.files.set(tree.fileAt(path) ?? 0, { ...old, bytes, ...times });
}

function later(tree: Tree): bigint {
  const times = [...tree.files.values()].map(({ changedAtNs }) => changedAtNs);
  for (const entry of tree.names.values()) {
    if ('directoryAtNs' in entry) times.push(entry.directoryAtNs);
  }
  return times.reduce((latest, time) => (time > latest ? time : latest), 0n) + 1n;
}
