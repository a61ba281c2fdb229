/**
 * Options of a line of iproute2 by their names; undefined where a word is none of them, or comes twice: then the line means more than is
 * known here. A name of `valued` is followed by its value, one of `flags` stands alone.
 */
export function readOptions(
  words: readonly string[],
  valued: readonly string[],
  flags: readonly string[] = [],
): ReadonlyMap<string, string> | undefined {
  const options = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (options.has(word)) return undefined;
    if (flags.includes(word)) options.set(word, '');
    else if (valued.includes(word) && at + 1 < words.length) options.set(word, words[++at]!);
    else return undefined;
  }
  return options;
}

/** Name that a link may have, in its plain form. */
export const isLinkName = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z0-9][\w.-]{0,14}$/.test(text);

/** Bytes of `02:42:0a:00:00:01`. */
export function readMac(text: string): Buffer | undefined {
  return /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text) ? Buffer.from(text.replaceAll(':', ''), 'hex') : undefined;
}

export function readNumber(text: string, max = 0xffff_ffff): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
