import type { PriceRecord } from '../../model/price-record.ts';
import { formatTimestamp } from '../../model/timestamp.ts';

/** The header row (RFC 4180). */
export const csvHeader = 'productId,price,previousPrice,timestamp,version,seq\r\n';

/** A price as a row; the timestamp is RFC 3339, UTC with microseconds, and no previous price is an empty cell. */
export function presentCsvRow(record: PriceRecord): string {
  const { productId, newPrice, previousPrice, timestamp, version, seq } = record;
  return `${textCell(productId)},${newPrice},${previousPrice ?? ''},${formatTimestamp(timestamp)},${version},${seq}\r\n`;
}

/**
 * What a spreadsheet would take for a formula gets a `'` in front (OWASP, CSV Injection), also behind
 * blanks, which some cut off, and also in full width. Quotes keep a cell whole for every separator.
 */
export function textCell(text: string): string {
  const isFormula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text);
  return `"${isFormula ? "'" : ''}${text.replaceAll('"', '""')}"`;
}
