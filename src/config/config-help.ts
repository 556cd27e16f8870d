import { mebibyte } from './option.ts';
import { flagOf, optionNames, options, variableOf } from './options.ts';

/** All options with variable, default, range and meaning, for `--help`. */
export function configHelp(): string {
  return optionNames
    .map((name) => {
      const { help, defaultValue, unit, rule } = options[name];
      return [
        `  --${flagOf(name)}, ${variableOf(name)}`,
        `      ${help}`,
        `      Default ${amount(defaultValue, unit)}; ${rule}.`,
      ].join('\n');
    })
    .join('\n');
}

function amount(value: string | number | boolean | readonly string[], unit: string): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  const mebibytes = Number(value) / mebibyte;
  const isReadable = unit === 'bytes' && Number.isInteger(mebibytes);
  return `${value} ${unit}${isReadable ? ` (${mebibytes} MiB)` : ''}`.trimEnd();
}
