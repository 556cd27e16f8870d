import { parseInstant, type Timestamp } from '../model/timestamp.ts';
import type { ParameterForm } from './query-parameters.ts';

/** A moment as an RFC 3339 date-time, its digits past the microsecond rounded as told. */
export function instantForm(rounding: 'up' | 'down'): ParameterForm<Timestamp> {
  return {
    schema: { type: 'string', format: 'date-time', examples: ['2026-11-21T01:11:15Z'] },
    parse: (text) => parseInstant(text, rounding),
    rule: () =>
      'must be an RFC 3339 date-time such as 2026-11-21T01:11:15Z; ' +
      'the + of an offset must be sent as %2B',
  };
}
