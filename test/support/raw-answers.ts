/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, with the empty line after them. */
  readonly head: string;
  readonly body: string;
}

/** The answers in what a connection gave until it ended; throws when one is cut short. */
export function answersIn(text: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
    answers.push({ status: Number(head.slice(9, 12)), head, body: rest.slice(end, end + length) });
    if (rest.length < end + length) throw new Error(`cut short: ${rest}`);
    rest = rest.slice(end + length);
  }
  return answers;
}
