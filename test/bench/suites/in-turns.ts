/**
 * Measures all subjects in turns, round by round, so that whatever else the machine does falls on all of
 * them; a round before the first warms them up and counts for nothing. Gives each subject's results by round.
 */
export async function inTurns<Subject, Result>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject, isWarmUp: boolean) => Promise<Result>,
): Promise<ReadonlyMap<Subject, readonly Result[]>> {
  const results = new Map(subjects.map((subject) => [subject, [] as Result[]]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [subject, list] of results) {
      const result = await measure(subject, round === 0);
      if (round > 0) list.push(result);
    }
  }
  return results;
}
