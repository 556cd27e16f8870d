import type { IncomingHttpHeaders } from 'node:http';
import type { Terms } from '../../ledger/reprice.ts';
import { refuseHeader } from '../input/field-problems.ts';

/** What a write's `If-Match` and `If-None-Match` headers ask for. An empty one is no condition, but a mistake. */
export function parsePreconditions({
  'if-match': ifMatch,
  'if-none-match': ifNoneMatch,
}: IncomingHttpHeaders): Pick<Terms, 'mustBeNew' | 'versions'> {
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw refuseHeader('If-None-Match', 'can only be * on a reprice');
  }
  return {
    ...(ifNoneMatch !== undefined && { mustBeNew: true }),
    ...(ifMatch !== undefined && { versions: parseIfMatch(ifMatch) }),
  };
}

/** RFC 9110, section 8.8.3, in ASCII. */
const entityTag = '(?:W/)?"[\\x21\\x23-\\x7e]*"';
const entityTags = new RegExp(`^${entityTag}(?:[ \\t]*,[ \\t]*${entityTag})*$`);

/** A list of entity tags, or `*`. A weak tag, or one that is no version, matches nothing. */
function parseIfMatch(header: string): readonly number[] | 'any' {
  if (header === '*') return 'any';
  if (!entityTags.test(header)) {
    throw refuseHeader('If-Match', 'must be * or a list of entity tags such as "12"');
  }
  const tags = [...header.matchAll(new RegExp(entityTag, 'g'))].map(([tag]) => tag);
  return tags.flatMap((tag) => (/^"[1-9]\d{0,14}"$/.test(tag) ? Number(tag.slice(1, -1)) : []));
}
