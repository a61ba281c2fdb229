import { suggest } from '../../engine/text/suggest.ts';
import { type CommandSpec, EXIT, type ExitCode, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import { type ColorChoice, type CommandContext, paint, usesColor } from './context.ts';
import { VERSION } from './version.ts';

/** Runs one command line and says how it ended. Never throws: what can't be done is explained on `err`. */
export async function main(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    return await run(argv, context);
  } catch (error) {
    const color = paint(usesColor('auto', context.err, context.env));
    if (isUsersToMend(error)) {
      context.err.write(`${color('red', 'fairlead:')} ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
    } else {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      context.err.write(`${color('red', 'fairlead:')} this should not have happened. Please report it with what is below.\n${text}\n`);
    }
    return EXIT.usage;
  }
}

/** A {@link UsageError} or FileError. By name, because what is loaded later may bring its own copy of their classes when built. */
function isUsersToMend(error: unknown): error is UsageError {
  return error instanceof Error && (error.name === 'UsageError' || error.name === 'FileError');
}

async function run(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-V' || first === 'version') {
    context.out.write(`fairlead ${VERSION}\n`);
    return EXIT.ok;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const group = groupOf(rest[0]);
    const about = COMMANDS.find(({ name }) => name === (group === undefined ? rest[0] : `${rest[0]} ${rest[1]}`));
    const { commandHelp } = await import('./help.ts');
    if (about === undefined) return overview(group ?? COMMANDS, first === undefined, context);
    context.out.write(commandHelp(about, paint(usesColor('auto', context.out, context.env)), columns(context)));
    return EXIT.ok;
  }
  const group = groupOf(first);
  const [second] = rest;
  if (group !== undefined && (second === undefined || second === '--help' || second === '-h')) {
    return overview(group, second === undefined, context);
  }
  const called = group === undefined ? first : `${first} ${second}`;
  const command = COMMANDS.find(({ name }) => name === called);
  if (command === undefined) throw unknownCommand(called, group ?? COMMANDS);
  const { parseArguments } = await import('./arguments.ts');
  const args = parseArguments(command, group === undefined ? rest : rest.slice(1));
  if (args.on('help')) {
    const { commandHelp } = await import('./help.ts');
    const color = paint(usesColor((args.text('color') ?? 'auto') as ColorChoice, context.out, context.env));
    context.out.write(commandHelp(command, color, columns(context)));
    return EXIT.ok;
  }
  return (await command.load())(args, context);
}

/** Commands whose name begins with this word and has another; undefined for a word that is a command by itself, or none. */
function groupOf(word: string | undefined): readonly CommandSpec[] | undefined {
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${word} `));
  return group.length === 0 ? undefined : group;
}

/** The help of all commands, or of a group: what was asked for, or what was called without saying what to do. */
async function overview(commands: readonly CommandSpec[], isMistake: boolean, context: CommandContext): Promise<ExitCode> {
  const { programHelp } = await import('./help.ts');
  const target = isMistake ? context.err : context.out;
  target.write(programHelp(commands, paint(usesColor('auto', target, context.env)), columns(context)));
  return isMistake ? EXIT.usage : EXIT.ok;
}

function columns(context: CommandContext): number {
  const given = Number(context.env['COLUMNS']);
  return Number.isInteger(given) && given >= 40 ? Math.min(given, 120) : 100;
}

function unknownCommand(name: string, commands: readonly CommandSpec[]): UsageError {
  const meant = suggest(
    name,
    commands.map((command) => command.name),
  );
  return new UsageError(
    name.startsWith('-') ? `unknown option ${name}: options follow the command` : `unknown command ${JSON.stringify(name)}`,
    meant === undefined ? 'fairlead --help lists the commands' : `did you mean ${meant}?`,
  );
}
