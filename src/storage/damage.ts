import { RepricerError } from '../errors.ts';
import type { RefusedCase } from './recovery-case.ts';

/** Where the files break the format, and how: what `repricer verify` prints and a refused start logs. */
export interface Damage {
  /** Path within the data directory. */
  readonly file: string;
  /** First byte of the line or region. */
  readonly offset: number;
  /** The seq that the line has, or should have. */
  readonly seq: number;
  readonly problem: string;
}

/** A line that was met by position, so that nobody counted which record it has to be. */
export type DamagedLine = Omit<Damage, 'seq'>;

export function describeDamage({ seq, ...line }: Damage): string {
  return describeDamagedLine(line, String(seq));
}

export function describeDamagedLine({ file, offset, problem }: DamagedLine, seq: string): string {
  return `${file}, offset ${offset}, seq ${seq}: ${problem}`;
}

/** The refusal of a journal, with the label under which docs/recovery.md tells of it. */
export function journalDamaged(label: RefusedCase, damage: Damage): RepricerError {
  return new RepricerError(
    'JOURNAL_DAMAGED',
    `${label}: ${describeDamage(damage)}; nothing was changed. "repricer verify" lists all damage, "repricer repair" says what can be mended`,
    { label },
  );
}

/** The refusal of a journal that ends with `lastSeq`, though a product file holds a later record: that is the only copy. */
export function journalEndsBefore(
  { file, seq }: { readonly file: string; readonly seq: number },
  lastSeq: number,
): RepricerError {
  const problem = `the journal ends with seq ${lastSeq}`;
  return journalDamaged('product-beyond-journal', { file, offset: 0, seq, problem });
}
