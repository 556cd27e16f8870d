/** One instruction: its name, its flags (`--from=build`), and what follows them. */
export interface Instruction {
  readonly name: string;
  readonly flags: ReadonlyMap<string, string>;
  readonly words: readonly string[];
  /** The words of the form `["a", "b"]`, which no shell reads; undefined for any other form. */
  readonly exec: readonly string[] | undefined;
}

/** From one `FROM` to the next. */
export interface Stage {
  readonly image: string;
  /** `AS name`. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile. Throws at what stands before the first `FROM`, or is not closed. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  for (const line of linesOf(text)) {
    const instruction = parseInstruction(line);
    const { words } = instruction;
    if (instruction.name === 'FROM') {
      const [image = '', as, name] = words;
      if (words.length > 1 && as !== 'AS') throw new Error(`${line}: what is ${as}?`);
      stages.push({ image, name, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${line}: before the first FROM`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

/** Lines without comments, those that end in a backslash joined with the next. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

function parseInstruction(line: string): Instruction {
  const [name = '', ...rest] = line.split(/\s+/);
  const flagCount = rest.findIndex((word) => !word.startsWith('--'));
  const words = rest.slice(flagCount);
  return {
    name,
    flags: new Map(rest.slice(0, flagCount).map(parseFlag)),
    words,
    exec: parseExec(words.join(' ')),
  };
}

function parseFlag(word: string): readonly [string, string] {
  const [name = '', ...value] = word.slice(2).split('=');
  return [name, value.join('=')];
}

function parseExec(text: string): readonly string[] | undefined {
  return text.startsWith('[') ? (JSON.parse(text) as readonly string[]) : undefined;
}

/** The pairs of `LABEL` and `ENV`, with or without quotes around the values. */
export function pairsOf({ words }: Instruction): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...words.join(' ').matchAll(/([^\s=]+)=("[^"]*"|\S*)/g)].map(([, name = '', value = '']) => [
      name,
      value.replace(/^"(.*)"$/, '$1'),
    ]),
  );
}

/** What `ENV` sets, with the defaults of the arguments that it names; nothing for those that are not known. */
export function variablesOf({ instructions }: Stage): Readonly<Record<string, string>> {
  const allOf = (name: string) =>
    instructions.filter((one) => one.name === name).flatMap((one) => Object.entries(pairsOf(one)));
  const defaults = new Map(allOf('ARG'));
  return Object.fromEntries(
    allOf('ENV').map(([name, value]) => [
      name,
      value.replaceAll(/\$(\w+)/g, (_, argument: string) => defaults.get(argument) ?? ''),
    ]),
  );
}
