import { COMMON_OPTIONS } from './arguments.ts';
import type { CommandSpec } from './command.ts';
import { optionLabel, optionSummary, usageLine } from './help.ts';

/** The reference page of the command line, Markdown, from the same specification that parses and helps. */
export function cliReference(commands: readonly CommandSpec[]): string {
  return [
    '# Command line',
    '<!-- Made by `node --import tsx scripts/generate-cli-reference.ts` from runtimes/cli/commands.ts. -->',
    'Rules, objects and tests are files, folders or `-` for standard input, in YAML, JSON or CUE. Results go to standard output, everything else to standard error.',
    'All commands end with one of three codes: **0** nothing is wrong, **1** something was found (an error in rules, a denied object, a failed test), **2** the command could not be done (called wrongly, a file that cannot be read).',
    list(commands.map(({ name, summary }) => `[\`fairlead ${name}\`](#fairlead-${name.replaceAll(' ', '-')}): ${summary}`)),
    ...commands.map(commandSection),
    '## Options of every command',
    table(
      ['option', 'meaning'],
      COMMON_OPTIONS.map((option) => [`\`${optionLabel(option)}\``, optionSummary(option)]),
    ),
    '`fairlead --version` prints the version, `fairlead help <command>` the help of a command.',
    '',
  ].join('\n\n');
}

function commandSection(command: CommandSpec): string {
  return [
    `## fairlead ${command.name}`,
    command.description.replaceAll('\n', '\n\n'),
    `\`\`\`text\n${usageLine(command)}\n\`\`\``,
    table(
      ['argument or option', 'meaning'],
      [
        ...command.arguments.map(({ name, summary }) => [`\`${name}\``, summary]),
        ...command.options.map((option) => [`\`${optionLabel(option)}\``, optionSummary(option)]),
      ],
    ),
    `\`\`\`sh\n${command.examples.map(({ command: line, explains }) => `# ${explains}\n${line}`).join('\n\n')}\n\`\`\``,
    `Exit codes:\n\n${list(Object.entries(command.exits).map(([code, meaning]) => `${code}: ${meaning}`))}`,
  ].join('\n\n');
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
