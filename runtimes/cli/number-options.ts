import { type ParsedArguments, UsageError } from './command.ts';

/** A port number; undefined where the option is not given. Throws {@link UsageError}. */
export function portOf(args: ParsedArguments, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new UsageError(`--${option} must be a port number, not ${JSON.stringify(text)}`);
  return port;
}

/** Seconds as milliseconds. Throws {@link UsageError}. */
export function secondsOf(args: ParsedArguments, option: string): number {
  const text = args.text(option) ?? '0';
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || Number(text) > 3600)
    throw new UsageError(`--${option} must be seconds up to 3600, not ${JSON.stringify(text)}`);
  return Number(text) * 1000;
}

/** A time in RFC 3339 as milliseconds since 1970; undefined where the option is not given. Throws {@link UsageError}. */
export function timeOf(args: ParsedArguments, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--${option} must be a time such as 2027-01-31T12:00:00Z, not ${JSON.stringify(text)}`);
  return time;
}
