import { type Command, EffectError, type IprouteProgram } from '../../engine/step/effect.ts';

/**
 * Objects that may be asked for, by program. What is not here could run programs (`netns exec`, `vrf exec`, `tc exec`), would never end
 * (`monitor`), or is nobody's step.
 */
const OBJECTS: Readonly<Record<IprouteProgram, readonly string[]>> = {
  ip: ['link', 'address', 'addr', 'route', 'rule', 'neighbour', 'neigh', 'nexthop', 'netconf', 'tuntap', 'maddress'],
  tc: ['qdisc', 'class', 'filter'],
  bridge: ['link', 'vlan', 'fdb', 'mdb'],
};

/** iproute2 splits a line into at most 100 words (lib/utils.c: `makeargs`); the end of the line counts. */
const MAX_WORDS = 98;
const MAX_LINE = 8192;

/** Printable ASCII without what the reader of a batch file gives a meaning: quotes, backslash, the comment's `#`. */
const WORD = /^[!$-&(-[\]-~]+$/;

/**
 * A line for a batch, from words. They may come from outside, so what could end a word or a line, open a comment, or be read as an option
 * is refused here. Throws {@link EffectError} `invalid`.
 */
export function batchLine(program: IprouteProgram, { words }: Pick<Command, 'words'>): string {
  const refuse = (why: string): never => {
    throw new EffectError('invalid', why, asTyped(program, words));
  };
  const object = words[0] ?? '';
  if (!OBJECTS[program].includes(object)) refuse(`${JSON.stringify(object.slice(0, 80))} is not an object of ${program} that is used here`);
  if (words.length > MAX_WORDS) refuse(`${words.length} words are more than the ${MAX_WORDS} that ${program} reads of a line`);
  for (const word of words) {
    // Nothing, as of an alias that is taken away; the reader knows quotes.
    if (word === '') continue;
    if (!WORD.test(word)) refuse(`${JSON.stringify(word.slice(0, 80))} can't be a word of a command`);
    if (word.startsWith('-')) refuse(`${JSON.stringify(word.slice(0, 80))} would be read as an option`);
  }
  const line = words.map((word) => (word === '' ? '""' : word)).join(' ');
  if (line.length > MAX_LINE) refuse(`the command has ${line.length} characters, at most ${MAX_LINE} are sent`);
  return line;
}

/** The command as a user would type it, for messages. */
export function asTyped(program: string, words: readonly string[]): string {
  const text = [program, ...words].map((word) => (/^[!$-&(-[\]-~]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Name of the link that a line deletes, where it deletes exactly one by name. */
export function deletedLink(words: readonly string[]): string | undefined {
  if (words[0] !== 'link' || (words[1] !== 'del' && words[1] !== 'delete')) return undefined;
  const at = words[2] === 'dev' ? 3 : 2;
  const isAll = words.length === at + 1 || (words.length === at + 3 && words[at + 1] === 'type');
  return isAll && words[2] !== 'group' ? words[at] : undefined;
}

/** Names that mean another link, or none, after a line that renames a link or moves it to another namespace. */
export function renamedLinks(words: readonly string[]): readonly string[] {
  if (words[0] !== 'link' || words[1] !== 'set') return [];
  const at = words[2] === 'dev' ? 3 : 2;
  const rest = words.slice(at + 1);
  const renamed = rest.indexOf('name');
  if (renamed === -1 && !rest.includes('netns')) return [];
  return [words[at] ?? '', ...(renamed === -1 ? [] : [rest[renamed + 1] ?? ''])];
}

/** Names that may mean another link, or none, after a line. */
export function changedNames(words: readonly string[]): readonly string[] {
  const deleted = deletedLink(words);
  return deleted === undefined ? renamedLinks(words) : [deleted];
}
