/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Status line and headers, with the empty line after them. */
  readonly head: string;
  readonly body: string;
}

/** The answers in what a connection gave until it ended; throws when one is cut short. */
export function answersIn(text: string): readonly RawAnswer[] {
  const { answers, rest } = parseAnswers(text);
  if (rest !== '') throw new Error(`cut short: ${rest}`);
  return answers;
}

/** The whole answers at the start of a text, and what follows them. Bodies must be ASCII and have a length. */
export function parseAnswers(text: string): {
  readonly answers: readonly RawAnswer[];
  readonly rest: string;
} {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const bodyStart = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, bodyStart);
    const bodyEnd = bodyStart + Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
    if (head === '' || bodyStart < 4 || rest.length < bodyEnd) return { answers, rest };
    answers.push({
      status: Number(head.slice(9, 12)),
      head,
      body: rest.slice(bodyStart, bodyEnd),
    });
    rest = rest.slice(bodyEnd);
  }
}
