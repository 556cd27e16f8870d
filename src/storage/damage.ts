import { RepricerError } from '../errors.ts';

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

export function describeDamage(damage: Damage): string {
  return `${damage.file}, offset ${damage.offset}, seq ${damage.seq}: ${damage.problem}`;
}

export function journalDamaged(damage: Damage): RepricerError {
  return new RepricerError(
    'JOURNAL_DAMAGED',
    `${describeDamage(damage)}; nothing was changed. "repricer verify" reads everything and lists all damage`,
  );
}
