import { errnoOf, RepricerError } from '../errors.ts';

/** Does `work`, which writes a file of a copy; throws `NO_SPACE` with these words when there is no room for it. */
export async function needRoom(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!noSpaceErrors.has(errnoOf(error) ?? '')) throw error;
    const why = `there is no room for ${what}; what was there before is as it was`;
    throw new RepricerError('NO_SPACE', why, { cause: error });
  }
}

const noSpaceErrors: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
