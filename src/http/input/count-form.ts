import type { ParameterForm } from './query-parameters.ts';

/** A whole number from 1, without sign or leading zeros. */
export function countForm(max: number): ParameterForm<number> {
  const parse = (text: string) => (/^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : Infinity);
  return {
    schema: { type: 'integer', minimum: 1, maximum: max },
    parse: (text) => (parse(text) <= max ? parse(text) : undefined),
    rule: () => `must be a whole number from 1 to ${max}`,
  };
}
