import { optionsOf } from './arguments.ts';
import type { ArgumentSpec, CommandSpec, OptionSpec } from './command.ts';
import type { Paint } from './context.ts';

/** `fairlead check [options] <path...>` */
export function usageLine(command: CommandSpec): string {
  return ['fairlead', command.name, '[options]', ...command.arguments.map(argumentLabel)].join(' ');
}

function argumentLabel({ name, required, multiple }: ArgumentSpec): string {
  const label = multiple ? `${name}...` : name;
  return required ? `<${label}>` : `[${label}]`;
}

export function optionLabel({ name, short, value }: OptionSpec): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`;
}

export function optionSummary({ summary, values, default: standard, multiple }: OptionSpec): string {
  const notes = [
    ...(values === undefined ? [] : [`one of ${values.join(', ')}`]),
    ...(standard === undefined ? [] : [`default ${standard}`]),
    ...(multiple ? ['may be repeated'] : []),
  ];
  return notes.length === 0 ? summary : `${summary} (${notes.join('; ')})`;
}

export function commandHelp(command: CommandSpec, color: Paint, columns: number): string {
  const rows = (pairs: readonly (readonly [string, string])[]): string => table(pairs, columns);
  const sections = [
    `${color('bold', 'Usage:')} ${usageLine(command)}`,
    wrap(command.description, columns),
    ...(command.arguments.length === 0
      ? []
      : [`${color('bold', 'Arguments:')}\n${rows(command.arguments.map((argument) => [argument.name, argument.summary]))}`]),
    `${color('bold', 'Options:')}\n${rows(optionsOf(command).map((option) => [optionLabel(option), optionSummary(option)]))}`,
    `${color('bold', 'Examples:')}\n${command.examples.map(({ command: line, explains }) => `  ${color('faint', `# ${explains}`)}\n  ${line}`).join('\n\n')}`,
    `${color('bold', 'Exit codes:')}\n${rows(Object.entries(command.exits))}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

export function programHelp(commands: readonly CommandSpec[], color: Paint, columns: number): string {
  return [
    `${color('bold', 'Usage:')} fairlead <command> [options]`,
    'Kubernetes extension points as declarative rules: checked, tested, dry-run and served.',
    `${color('bold', 'Commands:')}\n${table(
      commands.map(({ name, summary }) => [name, summary]),
      columns,
    )}`,
    `${color('bold', 'Options:')}\n${table(
      [
        ['-h, --help', 'Show help; after a command, its help.'],
        ['-V, --version', 'Show the version.'],
      ],
      columns,
    )}`,
    'fairlead <command> --help shows options and examples.',
    '',
  ].join('\n\n');
}

function table(rows: readonly (readonly [string, string])[], columns: number): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  const indent = ' '.repeat(width + 4);
  return rows
    .map(([label, text]) => `  ${label.padEnd(width)}  ${wrap(text, Math.max(columns - width - 4, 30)).replaceAll('\n', `\n${indent}`)}`)
    .join('\n');
}

/** Breaks paragraphs at spaces. */
export function wrap(text: string, columns: number): string {
  return text
    .split('\n')
    .map((paragraph) => {
      const lines: string[] = [];
      let line = '';
      for (const word of paragraph.split(' ')) {
        if (line !== '' && line.length + 1 + word.length > columns) {
          lines.push(line);
          line = word;
        } else line = line === '' ? word : `${line} ${word}`;
      }
      return [...lines, line].join('\n');
    })
    .join('\n');
}
