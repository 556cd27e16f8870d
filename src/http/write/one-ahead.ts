/**
 * The same values, of which the next is already being made while one is worked on. When no more are taken,
 * the source is ended after what it is making, and nobody waits for that or hears how it went.
 */
export async function* oneAhead<Value>(source: AsyncGenerator<Value>): AsyncGenerator<Value> {
  let next = settled(source.next());
  try {
    for (;;) {
      const [outcome] = await next;
      if (outcome.status === 'rejected') throw outcome.reason;
      if (outcome.value.done === true) return;
      next = settled(source.next());
      yield outcome.value.value;
    }
  } finally {
    void settled(source.return(undefined));
  }
}

/** What fails is met when it is waited for; until then it is no failure of the process. */
function settled<Value>(work: Promise<Value>): Promise<[PromiseSettledResult<Value>]> {
  return Promise.allSettled([work]);
}
