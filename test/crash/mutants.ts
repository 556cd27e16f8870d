/** A bug planted in a copy of the built service, to show that the faults would find it. */
export interface Mutant {
  /** What is wrong, as it would stand in a bug report. */
  readonly title: string;
  /** The module of the build, without its ending. */
  readonly module: string;
  /** What stands there, exactly once, … */
  readonly from: RegExp;
  /** … and what stands there instead. */
  readonly to: string;
  /** Ids of the faults that must find it; the first is the quickest. */
  readonly foundBy: readonly [string, ...string[]];
}

export const mutants: readonly Mutant[] = [
  {
    title: 'a batch is not synced',
    module: 'storage/journal',
    from: /await segment\.handle\.datasync\(\);(\s*\}\s*catch \(error\) \{\s*const failure)/,
    to: '$1',
    foundBy: ['F4', 'F3'],
  },
  {
    title: 'a batch is acknowledged before it is synced',
    module: 'storage/journal',
    from: /await (segment\.handle\.datasync\(\));(\s*\}\s*catch \(error\) \{\s*const failure)/,
    to: 'void $1.catch(() => {});$2',
    foundBy: ['F4', 'F3'],
  },
  {
    title: 'the directory of a new segment is not synced',
    module: 'storage/journal',
    from: /await this\.#files\.syncDirectory\(dirname\(path\)\)\.catch\(/,
    to: 'await Promise.resolve().catch(',
    foundBy: ['F4'],
  },
  {
    title: 'a failed sync is tried again',
    module: 'storage/journal',
    from: /const failure = this\.#fail\('the journal could not be synced', error\);\s*await this\.#cutBack\(segment\);\s*throw failure;/,
    to: 'await segment.handle.datasync();',
    // F7 finds it only where the file system has not given up by itself first, which is chance.
    foundBy: ['F6'],
  },
  {
    title: 'the checkpoint is written before the product files are synced',
    module: 'storage/checkpointer',
    from: /if \(!\(await this\.#productFiles\.sync\(mayGoOn\)\)\)\s*return;\s*(await writeCheckpoint\([^;]*;)/,
    to: '$1 if (!(await this.#productFiles.sync(mayGoOn))) return;',
    foundBy: ['F4'],
  },
  {
    title: 'checksums are not compared',
    module: 'storage/checked-line',
    from: /return sumOf\(line\) === crc32\(fieldsOf\(line\)\);/,
    to: 'return true;',
    foundBy: ['F13'],
  },
  {
    title: 'rot in the open segment is cut off like a torn tail',
    module: 'storage/inspect-journal',
    from: /scan\.fault !== undefined && scan\.otherBatch !== undefined/,
    to: 'false',
    foundBy: ['F13'],
  },
  {
    title: 'half a batch is kept',
    module: 'storage/segment-scan',
    from: /if \(record\.seq === this\.#batchEnd\)/,
    to: 'if (true)',
    foundBy: ['F12', 'F4'],
  },
  {
    title: 'a version is not counted up within a batch',
    module: 'ledger/batch',
    from: /this\.#heads\.set\(productId, \{ version: draft[^;]*;/,
    to: '',
    foundBy: ['F1'],
  },
  {
    title: 'a last price is remembered before it is durable',
    module: 'ledger/commit-lane',
    from: /(const places = await this\.#storage\.append)/,
    to: 'this.#prices.follow(records);\n$1',
    foundBy: ['F8'],
  },
  {
    title: 'recovery believes the pages of the open segment',
    module: 'storage/mend-journal',
    from: /await replaceFile\(files, path, content, async/,
    to: 'if (open.bytes > open.wholeBytes) await replaceFile(files, path, content, async',
    foundBy: ['F4', 'F7'],
  },
  {
    title: 'catching up appends what is there already',
    module: 'storage/product-files',
    from: /await file\.truncate\(start\);\s*await writeFully\(file, bytes, start\);/,
    to: 'await writeFully(file, bytes, size);',
    foundBy: ['F1', 'F4'],
  },
  {
    title: 'the clock is believed when it steps back',
    module: 'ledger/batch',
    from: /const start = last !== undefined && last >= now \? [^;]*;/,
    to: 'const start = now;',
    foundBy: ['F16'],
  },
  {
    title: 'the directory is not locked',
    module: 'files/directory-lock',
    from: /if \(tryLock\(file\.fd\)\)/,
    to: 'if (true)',
    foundBy: ['F15'],
  },
  {
    title: 'a stop cuts connections off that are in use',
    module: 'service',
    from: /steps\.add\(\(\) => drain\(server, silent\)\);/,
    to: 'steps.add(() => closeAtOnce(server));',
    foundBy: ['F20'],
  },
  {
    title: 'a key is not looked up among the records',
    module: 'ledger/batch',
    from: /const receipt = this\.#committed\.receipts\.get\(key\);/,
    to: 'const receipt = undefined;',
    foundBy: ['F19b'],
  },
  {
    title: 'the queue has no bound',
    module: 'ledger/write-queue',
    from: /if \(this\.#length >= itemsMax\)/,
    to: 'if (false)',
    foundBy: ['F11', 'F21'],
  },
];
