/**
 * Whether nobody can take the end of this text for anything but the end of one request: it is served
 * as one, or refused as one, which may end the connection. False where that is not certain.
 *
 * It is the text that is judged, sharing no code with Node's parser or with what mutated it.
 */
export function isWellFramed(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const [requestLine = '', ...fields] = text.slice(0, headEnd).split('\r\n');
  const bodyBytes = text.length - headEnd - 4;
  return (
    /^[A-Z]+ [!-~]+ HTTP\/1\.[01]$/.test(requestLine) &&
    fields.every((field) => !/^[ \t]|[\r\n]/.test(field)) &&
    bodyBytesSaid(fields) === bodyBytes
  );
}

/** How long the fields say that the body is; undefined when they say it more than once, or wrongly. */
function bodyBytesSaid(fields: readonly string[]): number | undefined {
  const framing = fields.filter((field) => /content-length|transfer-encoding/i.test(field));
  if (framing.length === 0) return 0;
  const digits = framing.length === 1 ? /^content-length: (\d+)$/i.exec(framing[0] ?? '')?.[1] : '';
  return digits ? Number(digits) : undefined;
}
