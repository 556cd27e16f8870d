import type { ParameterForm } from './query-parameters.ts';

const microsPerSecond = 1_000_000;
const secondsPerDay = 86_400;
const intervalDaysMax = 100_000;

/** The length of a unit in seconds. A day is 24 hours, as in UTC every one is; a month has no fixed length. */
const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', secondsPerDay],
]);

const written = /^([1-9][0-9]{0,9})([smhd])$/;

/** A fixed length of time such as `15m`, in microseconds. */
export const intervalForm: ParameterForm<number> = {
  schema: {
    type: 'string',
    pattern: written.source,
    description: `At most ${intervalDaysMax}d.`,
    examples: ['15m'],
  },
  parse: (text) => {
    const [, count, unit = ''] = written.exec(text) ?? [];
    const seconds = Number(count) * (unitSeconds.get(unit) ?? Number.NaN);
    return seconds <= intervalDaysMax * secondsPerDay ? seconds * microsPerSecond : undefined;
  },
  rule: () =>
    `must be a whole number and a unit, s, m, h or d, such as 15m, and at most ${intervalDaysMax}d`,
};
