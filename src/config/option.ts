export const mebibyte = 1024 * 1024;

/** What an operator may decide: its default, its rule, and the words for both. */
export interface Option<Value> {
  /** Its flag stands alone, and then means true. */
  readonly isToggle?: true;
  readonly defaultValue: Value;
  readonly unit: string;
  /** Completes "must be …". */
  readonly rule: string;
  readonly help: string;
  /** The value that `text` gives; undefined when it breaks the rule. */
  parse(text: string): Value | undefined;
}

export function text(defaultValue: string, help: string): Option<string> {
  return {
    defaultValue,
    unit: '',
    rule: 'not empty',
    help,
    parse: (given) => (given.trim() === '' ? undefined : given),
  };
}

/** A word for people and for what reads logs. */
export function label(defaultValue: string, help: string): Option<string> {
  return {
    defaultValue,
    unit: '',
    rule: '1 to 128 letters, digits and characters of ._:/@+-',
    help,
    parse: (given) => (/^[A-Za-z0-9._:/@+-]{1,128}$/.test(given) ? given : undefined),
  };
}

/** Origins as browsers send them. */
export function origins(help: string): Option<readonly string[]> {
  return {
    defaultValue: [],
    unit: '',
    rule: 'up to 32 origins such as https://prices.example, with commas between them, or *',
    help,
    parse(given) {
      const list = given.split(',').map((one) => one.trim());
      const isGood = given === '*' || (list.length <= 32 && list.every(isOrigin));
      return isGood ? list : undefined;
    },
  };
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

export function toggle(help: string): Option<boolean> {
  return {
    isToggle: true,
    defaultValue: false,
    unit: '',
    rule: 'true or false',
    help,
    parse: (given) => truths.get(given),
  };
}

export function integer(
  defaultValue: number,
  unit: string,
  min: number,
  max: number,
  help: string,
): Option<number> {
  return {
    defaultValue,
    unit,
    rule: `a whole number from ${min} to ${max}`,
    help,
    parse(given) {
      const value = /^(?:0|[1-9][0-9]*)$/.test(given) ? Number(given) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

export function choice<const Choice extends string>(
  choices: readonly Choice[],
  defaultValue: NoInfer<Choice>,
  help: string,
): Option<Choice> {
  return {
    defaultValue,
    unit: '',
    rule: `one of ${choices.join(', ')}`,
    help,
    parse: (given) => choices.find((one) => one === given),
  };
}
