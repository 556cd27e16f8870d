const link = /<([^>]*)>[^,<]*;[ \t]*rel="?next"?(?=[ \t]*(?:[;,]|$))/;

/**
 * The query of the link to the next page (RFC 8288); undefined on the last page. Only the query, as a
 * gateway may have other paths than the service knows of.
 */
export function readNextQuery(headers: Headers): string | undefined {
  const target = link.exec(headers.get('link') ?? '')?.[1];
  const query = target?.indexOf('?') ?? -1;
  return target === undefined || query < 0 ? undefined : target.slice(query + 1);
}
