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
    const about = COMMANDS.find((command) => command.name === rest[0]);
    const { commandHelp, programHelp } = await import('./help.ts');
    const target = first === undefined ? context.err : context.out;
    const color = paint(usesColor('auto', target, context.env));
    target.write(about === undefined ? programHelp(COMMANDS, color, columns(context)) : commandHelp(about, color, columns(context)));
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS.find(({ name }) => name === first);
  if (command === undefined) throw unknownCommand(first);
  const { parseArguments } = await import('./arguments.ts');
  const args = parseArguments(command, rest);
  if (args.on('help')) {
    const { commandHelp } = await import('./help.ts');
    const color = paint(usesColor((args.text('color') ?? 'auto') as ColorChoice, context.out, context.env));
    context.out.write(commandHelp(command, color, columns(context)));
    return EXIT.ok;
  }
  return (await command.load())(args, context);
}

function columns(context: CommandContext): number {
  const given = Number(context.env['COLUMNS']);
  return Number.isInteger(given) && given >= 40 ? Math.min(given, 120) : 100;
}

function unknownCommand(name: string): UsageError {
  const meant = suggest(
    name,
    COMMANDS.map((command: CommandSpec) => command.name),
  );
  return new UsageError(
    name.startsWith('-') ? `unknown option ${name}: options follow the command` : `unknown command ${JSON.stringify(name)}`,
    meant === undefined ? 'fairlead --help lists the commands' : `did you mean ${meant}?`,
  );
}
