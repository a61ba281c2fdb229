import { createJsonLog, type Log, silentLog } from '../host/log.ts';
import type { ParsedArguments } from './command.ts';
import type { CommandContext } from './context.ts';

/** The log that `--log` asks for: JSON lines or text on standard error, or none. */
export async function logOf(args: ParsedArguments, context: CommandContext): Promise<Log> {
  switch (args.text('log')) {
    case 'off':
      return silentLog;
    case 'text':
      return (level, message, fields = {}) => {
        const pairs = Object.entries(fields).flatMap(([key, value]) =>
          value === undefined ? [] : [`${key}=${typeof value === 'string' ? JSON.stringify(value) : value}`],
        );
        context.err.write(`${level.padEnd(5)} ${[message, ...pairs].join(' ')}\n`);
      };
    default:
      return createJsonLog();
  }
}
