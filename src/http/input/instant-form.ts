import {
  formatTimestamp,
  isTimestamp,
  parseInstant,
  parseInstantMicros,
  type Timestamp,
  toTimestamp,
} from '../../model/timestamp.ts';
import type { ParameterForm } from './query-parameters.ts';

const schema = { type: 'string', format: 'date-time', examples: ['2026-11-21T01:11:15Z'] };

/** A moment as an RFC 3339 date-time, its digits past the microsecond rounded as told. */
export function instantForm(rounding: 'up' | 'down'): ParameterForm<Timestamp> {
  return {
    schema,
    parse: (text) => parseInstant(text, rounding),
    rule: () => dateTimeRule,
  };
}

const dateTimeRule =
  'must be an RFC 3339 date-time such as 2026-11-21T01:11:15Z; ' +
  'the + of an offset must be sent as %2B';

/**
 * The same for an end of a range that is told back, which no moment but the one that was sent may stand
 * for. Rounded up: a record is at or after the moment as it was sent exactly when it is so rounded.
 */
export const rangeEndForm: ParameterForm<Timestamp> = {
  schema,
  parse: (text) => {
    const micros = parseInstantMicros(text, 'up');
    return micros !== undefined && isTimestamp(micros) ? micros : undefined;
  },
  rule: (text) => (parseInstantMicros(text, 'up') === undefined ? dateTimeRule : rangeRule),
};

const [first, last] = [toTimestamp(0), toTimestamp(Number.MAX_SAFE_INTEGER)].map(formatTimestamp);
const rangeRule = `must be from ${first} to ${last}`;
