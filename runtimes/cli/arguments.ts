import { parseArgs } from 'node:util';
import { suggest } from '../../engine/text/suggest.ts';
import { type CommandSpec, type OptionSpec, type ParsedArguments, UsageError } from './command.ts';

/** Options that every command has. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'color',
    value: 'when',
    values: ['auto', 'always', 'never'],
    default: 'auto',
    summary: 'Colour the output. NO_COLOR and FORCE_COLOR are heeded.',
  },
  { name: 'help', short: 'h', summary: 'Show this help.' },
];

export function optionsOf(command: CommandSpec): readonly OptionSpec[] {
  return [...command.options, ...COMMON_OPTIONS];
}

/** Reads a command's arguments. Throws {@link UsageError} about the first thing that is wrong. */
export function parseArguments(command: CommandSpec, argv: readonly string[]): ParsedArguments {
  const options = optionsOf(command);
  const config: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {};
  for (const { name, short, value } of options) {
    config[name] = { type: value === undefined ? 'boolean' : 'string', multiple: true, ...(short === undefined ? {} : { short }) };
  }
  const { tokens } = parseArgs({ args: [...argv], options: config, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    else if (token.kind === 'option') {
      const spec = options.find((option) => option.name === token.name);
      if (spec === undefined) throw unknownOption(token.rawName, options, command);
      if (spec.value === undefined && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      if (spec.value !== undefined && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))) {
        throw new UsageError(`${token.rawName} needs a value: ${token.rawName} <${spec.value}>`);
      }
      if (spec.values !== undefined && token.value !== undefined && !spec.values.includes(token.value)) {
        const meant = suggest(token.value, spec.values);
        throw new UsageError(
          `${token.rawName} must be one of ${spec.values.join(', ')}, not ${JSON.stringify(token.value)}`,
          meant === undefined ? undefined : `did you mean ${meant}?`,
        );
      }
      const list = given.get(spec.name) ?? [];
      if (list.length > 0 && spec.value !== undefined && spec.multiple !== true) throw new UsageError(`${token.rawName} is given twice`);
      list.push(token.value ?? true);
      given.set(spec.name, list);
    }
  }
  const parsed: ParsedArguments = {
    arguments: positionals,
    text(name) {
      const last = given.get(name)?.at(-1);
      return typeof last === 'string' ? last : options.find((option) => option.name === name)?.default;
    },
    all: (name) => (given.get(name) ?? []).filter((value) => typeof value === 'string'),
    on: (name) => given.has(name),
  };
  if (!parsed.on('help')) checkPositionals(command, positionals);
  return parsed;
}

function checkPositionals(command: CommandSpec, given: readonly string[]): void {
  const missing = command.arguments.filter((argument) => argument.required)[given.length];
  if (missing !== undefined)
    throw new UsageError(`<${missing.name}> is missing: ${missing.summary}`, `fairlead ${command.name} --help shows how to call it`);
  const limit = command.arguments.some((argument) => argument.multiple) ? Number.POSITIVE_INFINITY : command.arguments.length;
  if (given.length > limit) throw new UsageError(`unexpected argument ${JSON.stringify(given[limit])}`);
}

function unknownOption(rawName: string, options: readonly OptionSpec[], command: CommandSpec): UsageError {
  const meant = suggest(
    rawName.replace(/^-+/, ''),
    options.map((option) => option.name),
  );
  return new UsageError(
    `unknown option ${rawName}`,
    meant === undefined ? `fairlead ${command.name} --help lists the options` : `did you mean --${meant}?`,
  );
}
