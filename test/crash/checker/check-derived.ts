import { createHash } from 'node:crypto';
import type { StoreState } from '../checker.ts';
import type { StoredJournal } from './read-journal.ts';
import type { StoredFiles } from './stored-files.ts';
import { hasGoodSum, type StoredRecord } from './stored-record.ts';

/**
 * What is made from the journal against the journal: product files are its projection (I6), or after a
 * crash at least as far as the checkpoint says; the manifest gives each sealed segment's sums (I7).
 */
export function checkDerived(
  files: StoredFiles,
  journal: StoredJournal,
  state: StoreState,
): readonly string[] {
  const checkpoint = readCheckpoint(files);
  return [
    ...checkCheckpoint(checkpoint, journal, state),
    ...checkProducts(files, journal, state, typeof checkpoint === 'number' ? checkpoint : 0),
    ...checkManifest(files, journal, state),
  ];
}

function readCheckpoint(files: StoredFiles): number | 'bad' | undefined {
  const text = files.get('checkpoint.json')?.toString('utf8');
  if (text === undefined) return undefined;
  const seq = /^{"seq":(\d+),.*}\n$/.exec(text)?.[1];
  return seq !== undefined && hasGoodSum(text.trimEnd()) ? Number(seq) : 'bad';
}

function checkCheckpoint(
  checkpoint: number | 'bad' | undefined,
  { records }: StoredJournal,
  state: StoreState,
): readonly string[] {
  if (checkpoint === 'bad') return ['checkpoint.json: not readable'];
  const seq = checkpoint ?? 0;
  if (seq > records.length) {
    return [`checkpoint.json: at seq ${seq}, the journal ends with ${records.length}`];
  }
  if (state === 'stopped' && seq < records.length) {
    return [`checkpoint.json: at seq ${seq} after a clean stop, the journal at ${records.length}`];
  }
  return [];
}

function checkProducts(
  files: StoredFiles,
  { records }: StoredJournal,
  state: StoreState,
  checkpoint: number,
): readonly string[] {
  const expected = state === 'crashed' ? records.filter(({ seq }) => seq <= checkpoint) : records;
  const projection = project(expected);
  const problems: string[] = [];
  for (const [file, text] of projection) {
    const actual = files.get(file);
    if (actual === undefined) problems.push(`${file}: missing`);
    else if (!isAsExpected(actual, Buffer.from(text), state)) {
      problems.push(`${file}: not its projection of the journal`);
    }
  }
  if (state === 'crashed') return problems;
  for (const file of files.keys()) {
    const isProductFile = file.startsWith('results_by_product/') && file.endsWith('.ndjson');
    if (isProductFile && !projection.has(file)) problems.push(`${file}: of no product`);
  }
  return problems;
}

function isAsExpected(actual: Buffer, expected: Buffer, state: StoreState): boolean {
  const compared = state === 'crashed' ? actual.subarray(0, expected.length) : actual;
  return compared.equals(expected);
}

function project(records: readonly StoredRecord[]): ReadonlyMap<string, string> {
  const lines = new Map<string, string[]>();
  for (const { productId, line } of records) {
    const known = lines.get(productId);
    if (known === undefined) lines.set(productId, [line]);
    else known.push(line);
  }
  return new Map([...lines].map(([productId, own]) => [fileOf(productId), `${own.join('\n')}\n`]));
}

/** Where the README says that a product's file is. */
function fileOf(productId: string): string {
  const sum = createHash('sha256').update(productId, 'utf8').digest('hex');
  let name = '';
  for (const byte of Buffer.from(productId, 'utf8')) {
    const character = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9\-_!'()]/.test(character) || (character === '.' && name !== '');
    name += isPlain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (name.length > 200) name = `${name.slice(0, 150)}~${sum}`;
  return `results_by_product/${sum.slice(0, 2)}/${name}.ndjson`;
}

function checkManifest(
  files: StoredFiles,
  { segments }: StoredJournal,
  state: StoreState,
): readonly string[] {
  const lines = (files.get('manifest.ndjson')?.toString('utf8') ?? '').split('\n');
  const rest = lines.pop() ?? '';
  const problems: string[] = [];
  if (state !== 'crashed' && rest !== '') problems.push('manifest.ndjson: its last line is torn');
  const sealed = segments.filter(({ isOpen }) => !isOpen);
  lines.forEach((line, index) => {
    const segment = sealed[index];
    const isLast = index === lines.length - 1 && rest === '';
    if (!hasGoodSum(line)) {
      if (state !== 'crashed' || !isLast)
        problems.push(`manifest.ndjson: line ${index + 1} is bad`);
    } else if (
      segment === undefined ||
      !lists(line, segment.file, segment.bytes, segment.records)
    ) {
      problems.push(`manifest.ndjson: line ${index + 1} is not that of ${segment?.file}`);
    }
  });
  if (state !== 'crashed' && lines.length < sealed.length) {
    problems.push(`manifest.ndjson: ${lines.length} lines for ${sealed.length} sealed segments`);
  }
  return problems;
}

function lists(
  line: string,
  file: string,
  bytes: Buffer,
  records: readonly StoredRecord[],
): boolean {
  const listed = JSON.parse(line) as Record<string, unknown>;
  const said = {
    file,
    rows: records.length,
    firstSeq: records[0]?.seq,
    lastSeq: records.at(-1)?.seq,
    firstTimestamp: records[0]?.timestamp,
    lastTimestamp: records.at(-1)?.timestamp,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  const keyedRows = records.filter(({ line: text }) => 'idempotencyKey' in JSON.parse(text)).length;
  // Segments of the first version have no count.
  if (listed['keyedRows'] !== undefined && listed['keyedRows'] !== keyedRows) return false;
  return Object.entries(said).every(([name, value]) => listed[name] === value);
}
