import type { Command, Effect, FailureCode, IprouteFamily, IprouteProgram, Netns, Steps } from '../effect.ts';

/** A line of iproute2. What is undefined or false is left out, so that optional words can stand in the list. */
export const command = (...words: readonly (string | number | false | undefined)[]): Command => ({
  words: words.filter((word) => word !== undefined && word !== false).map(String),
});

/** The same line, whose failures of these kinds count as done. */
export const tolerating = (line: Command, ...codes: readonly FailureCode[]): Command => ({ ...line, tolerate: codes });

/** Lines of `ip`; none is no effect. */
export const ip = (netns: Netns, ...commands: readonly Command[]): Steps<void> => perform('ip', netns, commands);
/** The same, for effects that are performed together. */
export const lines = (netns: Netns, commands: readonly Command[]): Effect => ({ kind: 'iproute', program: 'ip', netns, commands });
/** The same, where what lines behind one that fails do goes with the interface that they are about; none is no effect. */
export const eagerLines = (netns: Netns, commands: readonly Command[]): Effect[] =>
  commands.length === 0 ? [] : [{ kind: 'iproute', program: 'ip', netns, commands, eager: true }];
/** Lines of `ip -6`, for what has no address that tells the family. */
export const ip6 = (netns: Netns, ...commands: readonly Command[]): Steps<void> => perform('ip', netns, commands, 6);
/** Lines of `bridge`; none is no effect. */
export const bridge = (netns: Netns, ...commands: readonly Command[]): Steps<void> => perform('bridge', netns, commands);
/** Lines of `tc`; none is no effect. */
export const tc = (netns: Netns, ...commands: readonly Command[]): Steps<void> => perform('tc', netns, commands);

function* perform(program: IprouteProgram, netns: Netns, commands: readonly Command[], family?: IprouteFamily): Steps<void> {
  if (commands.length > 0) yield { kind: 'iproute', program, netns, commands, ...(family !== undefined && { family }) };
}

/** What follows a word of a line: the value of an option, `eth0` of `dev eth0`. */
export function wordAfter(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}
