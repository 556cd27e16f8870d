import type { ParameterForm } from './query-parameters.ts';

/** A map and no object: every object has a `constructor`, which is neither. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

export const truthForm: ParameterForm<boolean> = {
  schema: { type: 'boolean' },
  parse: (text) => truths.get(text),
  rule: () => 'must be true or false',
};
