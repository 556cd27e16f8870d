import { posix } from 'node:path';
import type { FastRandom } from '../../support/fast-random.ts';
import { changeBytes, type Effect, type FileEffect, type NameEffect } from './effect.ts';
import type { Tree, TreeFile } from './tree.ts';

/**
 * The states in which a machine that loses power after the given effects may come up again, `statesMax`
 * of them drawn at random when there are more, always with the one that lost all it could and the one
 * that lost nothing.
 *
 * - A file has what it had at its last sync, and of the writes and truncations since then the first
 *   few, the last of them perhaps in part: cut off anywhere, with zeros in the place of its end, or
 *   with zeros in its first sector. Truncations may be missing where later writes are there.
 * - A directory has the names that it had at its last sync, and the first few of the changes since
 *   then: each directory by itself, and with no regard to the bytes of its files. A directory that has
 *   no name yet is gone with all that is in it.
 * - After a sync that failed, what it should have written may be lost for ever, also when a later sync
 *   of the same file succeeds: the kernel has marked the pages clean.
 *
 * This allows more than ext4 and xfs do, which keep the order of all changes of names.
 */
export function* crashStates(
  start: Tree,
  effects: readonly Effect[],
  statesMax: number,
  random: FastRandom,
): Generator<Tree> {
  const disk = new Disk(start, effects);
  const choices = [...disk.directoryChoices(), ...disk.fileChoices()];
  const all = choices.reduce((product, { length }) => product * length, 1);
  const count = Math.min(all, statesMax);
  for (let state = 0; state < count; state += 1) {
    yield disk.stateOf(
      choices.map((choice, index) => {
        if (all <= statesMax) return digitOf(state, choices, index);
        if (state === 0) return 0;
        return state === 1 ? choice.length - 1 : random.integer(choice.length);
      }),
    );
  }
}

/** The digit at `index` of a number that is written with one digit for each choice. */
function digitOf(number: number, choices: readonly { length: number }[], index: number): number {
  const below = choices.slice(0, index).reduce((product, { length }) => product * length, 1);
  return Math.floor(number / below) % (choices[index]?.length ?? 1);
}

interface PendingName {
  readonly effect: NameEffect;
  readonly atNs: bigint;
}

interface PendingBytes {
  readonly effect: FileEffect;
  readonly atNs: bigint;
  /** It came after a failed sync and before a good one. */
  isDurable: boolean;
  isDoubtful: boolean;
}

/** What is durable after some effects, and what is not. */
class Disk {
  readonly #durable: Tree;
  readonly #names = new Map<string, PendingName[]>();
  readonly #bytes = new Map<number, PendingBytes[]>();
  #directories: readonly (readonly (readonly PendingName[])[])[] = [];
  #files: readonly { readonly file: number; readonly contents: readonly TreeFile[] }[] = [];

  constructor(start: Tree, effects: readonly Effect[]) {
    this.#durable = start.copy();
    effects.forEach((effect, index) => {
      this.#take(effect, BigInt(index + 1) + timeOf(start));
    });
  }

  directoryChoices(): readonly { length: number }[] {
    this.#directories = [...this.#names.values()]
      .filter(({ length }) => length > 0)
      .map((pending) => [...pending.keys(), pending.length].map((end) => pending.slice(0, end)));
    return this.#directories;
  }

  fileChoices(): readonly { length: number }[] {
    this.#files = [...this.#bytes]
      .filter(([, pending]) => pending.length > 0)
      .map(([file, pending]) => ({ file, contents: this.#contentsOf(file, pending) }));
    return this.#files.map(({ contents }) => contents);
  }

  /** The state that a number for each choice gives: directories first, then files. */
  stateOf(picks: readonly number[]): Tree {
    const tree = this.#durable.copy();
    const changes = this.#directories.flatMap((choice, index) => choice[picks[index] ?? 0] ?? []);
    for (const { effect, atNs } of changes) tree.apply(effect, atNs);
    this.#files.forEach(({ file, contents }, index) => {
      const content = contents[picks[this.#directories.length + index] ?? 0];
      const changedAtNs = tree.files.get(file)?.changedAtNs ?? 0n;
      if (content !== undefined) tree.files.set(file, later(content, changedAtNs));
    });
    return withoutOrphans(tree);
  }

  #take(effect: Effect, atNs: bigint): void {
    if (effect.kind === 'syncDirectory') {
      for (const change of this.#names.get(effect.path) ?? []) {
        this.#durable.apply(change.effect, change.atNs);
      }
      this.#names.set(effect.path, []);
    } else if (effect.kind === 'sync') this.#sync(effect.file);
    else if (effect.kind === 'failedSync') {
      for (const pending of this.#bytes.get(effect.file) ?? []) {
        if (!pending.isDurable) pending.isDoubtful = true;
      }
    } else if (effect.kind === 'write' || effect.kind === 'truncate') {
      listIn(this.#bytes, effect.file).push({ effect, atNs, isDurable: false, isDoubtful: false });
    } else {
      listIn(this.#names, posix.dirname(effect.path)).push({ effect, atNs });
    }
  }

  #sync(file: number): void {
    const pending = this.#bytes.get(file) ?? [];
    if (pending.some(({ isDoubtful }) => isDoubtful)) {
      for (const change of pending) change.isDurable ||= !change.isDoubtful;
      return;
    }
    this.#durable.files.set(file, contentAfter(this.#base(file), pending));
    this.#bytes.set(file, []);
  }

  #base(file: number): TreeFile {
    return (
      this.#durable.files.get(file) ?? {
        bytes: Buffer.alloc(0),
        changedAtNs: 0n,
        modifiedAtNs: 0n,
      }
    );
  }

  /** From the content that lost all it could to the one that lost nothing. */
  #contentsOf(file: number, pending: readonly PendingBytes[]): readonly TreeFile[] {
    const base = this.#base(file);
    const isOpen = ({ isDurable }: PendingBytes) => !isDurable;
    const open = pending.filter(isOpen);
    /** With everything durable, the first `end` of the others, and perhaps a part of the next one. */
    const upTo = (end: number, part?: FileEffect) => {
      const kept = new Set(open.slice(0, end));
      const next = open[end];
      const changes = pending.flatMap((change) => {
        if (change === next) return part === undefined ? [] : [{ ...change, effect: part }];
        return change.isDurable || kept.has(change) ? [change] : [];
      });
      return contentAfter(base, changes);
    };
    const contents = open.flatMap(({ effect }, end) => [
      upTo(end),
      ...partsOf(effect).map((part) => upTo(end, part)),
    ]);
    const withoutCuts = pending.filter(
      (change) => !isOpen(change) || change.effect.kind === 'write',
    );
    return [...contents, contentAfter(base, withoutCuts), upTo(open.length)];
  }
}

const sectorBytes = 512;

/** What may be on disk of a write that was under way. */
function partsOf(effect: FileEffect): readonly FileEffect[] {
  if (effect.kind === 'truncate') return [];
  const { bytes } = effect;
  const cuts = [1, Math.floor(bytes.length / 2), bytes.length - 1];
  const newline = bytes.indexOf(0x0a) + 1;
  if (newline > 0 && newline < bytes.length) cuts.push(newline);
  const zeroEnded = (length: number) => Buffer.concat([bytes.subarray(0, length)], bytes.length);
  const zeroBegun = Buffer.from(bytes).fill(0, 0, Math.min(sectorBytes, bytes.length - 1));
  return [
    ...cuts.map((length) => bytes.subarray(0, length)),
    zeroEnded(cuts[1] ?? 0),
    zeroEnded(0),
    zeroBegun,
  ].map((part) => ({ ...effect, bytes: part }));
}

function contentAfter(base: TreeFile, changes: readonly PendingBytes[]): TreeFile {
  const modifiedAtNs = changes.at(-1)?.atNs ?? base.modifiedAtNs;
  const bytes = changes.map(({ effect }) => effect).reduce(changeBytes, base.bytes);
  return { bytes, changedAtNs: modifiedAtNs, modifiedAtNs };
}

function later(content: TreeFile, changedAtNs: bigint): TreeFile {
  return changedAtNs > content.changedAtNs ? { ...content, changedAtNs } : content;
}

/** Without what stands in directories that are not there themselves. */
function withoutOrphans(tree: Tree): Tree {
  for (const path of [...tree.names.keys()].sort()) {
    if (path !== '/' && !tree.isDirectory(posix.dirname(path))) tree.names.delete(path);
  }
  return tree;
}

function timeOf(tree: Tree): bigint {
  const times = [...tree.files.values()].map(({ changedAtNs }) => changedAtNs);
  for (const entry of tree.names.values()) {
    if ('directoryAtNs' in entry) times.push(entry.directoryAtNs);
  }
  return times.reduce((latest, time) => (time > latest ? time : latest), 0n);
}

function listIn<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const list: Value[] = [];
  map.set(key, list);
  return list;
}
