import type { PricePage, PriceQuery } from '../../ledger/price-query.ts';
import { refuseFields } from '../input/field-problems.ts';
import { encodeCursor } from './page-cursor.ts';

/**
 * The longest `Link` header, in bytes. A link repeats the parameters of its request, and following it
 * must stay within the 8 KiB that the server takes of request line and headers.
 */
export const linkBytesMax = 7 * 1024;

/** The longest cursor, with its name and the characters around the link. */
const linkExtraBytes = 64;

/**
 * Refuses a query whose links would be longer than `linkBytesMax`, whether or not it will have any: a
 * next page that is there and not linked would look like the end.
 */
export function refuseUnlinkable(path: string, queryString: string): void {
  if (linkTarget(path, queryString, '').length <= linkBytesMax - linkExtraBytes) return;
  throw refuseFields(
    `The query is longer than the ${linkBytesMax} bytes that a link to its next page may have; ask for fewer products at a time.`,
    [],
  );
}

/**
 * The `Link` header of a page (RFC 8288): the same request with a cursor in place of a page number.
 * `prev` is left out where both would not fit. Undefined where the page has no neighbours.
 */
export function presentLinks(
  path: string,
  queryString: string,
  query: PriceQuery,
  { records, hasPrevious, hasNext }: PricePage,
): string | undefined {
  const [first, last] = [records[0], records.at(-1)];
  const link = (rel: string, side: 'before' | 'after', seq: number) =>
    `<${linkTarget(path, queryString, encodeCursor({ side, seq }, query))}>; rel="${rel}"`;
  const links: string[] = [];
  if (hasNext && last !== undefined) links.push(link('next', 'after', last.seq));
  if (hasPrevious && first !== undefined) links.push(link('prev', 'before', first.seq));
  const header = links.join(', ');
  return (header.length <= linkBytesMax ? header : links[0]) || undefined;
}

function linkTarget(path: string, queryString: string, cursor: string): string {
  const kept = queryString.split('&').filter((pair) => pair !== '' && !namesPage(pair));
  return `${path}?${[...kept, `cursor=${cursor}`].map(escapeForLink).join('&')}`;
}

/** The parameters as they were sent, but for what says which page. Nobody needs to escape these names. */
function namesPage(pair: string): boolean {
  const name = decodeURIComponent(pair.split('=', 1)[0] ?? '');
  return name === 'cursor' || name === 'pageNumber';
}

/** What may be sent in a request line and must not stand in a link, such as the `>` that ends one. */
function escapeForLink(pair: string): string {
  return pair.replace(/[^!#-;=?-Z[\]_a-z~]/g, encodeURIComponent);
}
