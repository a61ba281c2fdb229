import { sha256 } from '../../text/digest.ts';
import type { ArgumentProblem } from '../operation.ts';

/** Characters of an interface's name. Linux: IFNAMSIZ without the NUL that ends it. */
export const MAX_LINK_NAME = 15;

/**
 * Why text can't name an interface, or undefined when it can. Beyond what Linux refuses (net/core/dev.c dev_valid_name) it has only characters
 * that mean themselves everywhere: as a word of iproute2 and nftables, in a shell, and in the path of a kernel parameter.
 */
export function linkNameObjection(name: string): string | undefined {
  if (name === '') return 'an interface name must not be empty';
  if (name.length > MAX_LINK_NAME) return `interface name ${JSON.stringify(name)} is longer than ${MAX_LINK_NAME} characters`;
  if (name === '.' || name === '..') return `an interface can't be called ${JSON.stringify(name)}`;
  const wrong = /[^A-Za-z0-9_.@+=~-]/u.exec(name);
  if (wrong !== null) return `interface name ${JSON.stringify(name)} must not contain ${JSON.stringify(wrong[0])}`;
  if (name.startsWith('-')) return `interface name ${JSON.stringify(name)} must not begin with a dash`;
  return undefined;
}

/** A name for a link that has to have one: `veth` and 8 hexadecimal digits, the same for the same seed. */
export const generatedLinkName = (prefix: string, seed: string): string => prefix + sha256(seed).slice(0, 8);

/** A MAC address for a link, the same for the same seed: locally administered, unicast. */
export function generatedMac(seed: string): string {
  const bytes = sha256(seed).slice(0, 12).match(/../g) as string[];
  const first = (Number.parseInt(bytes[0] as string, 16) & 0xfc) | 0x02;
  return [first.toString(16).padStart(2, '0'), ...bytes.slice(1)].join(':');
}

/** Why text is no MAC address that an Ethernet interface can have, or undefined when it is one. */
export function macObjection(text: string): string | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return `${JSON.stringify(text)} is not a MAC address like 0a:58:0a:01:00:05`;
  if (Number.parseInt(text.slice(0, 2), 16) & 1) return `${text} is a multicast address, which no interface can have`;
  if (/^[0:]*$/.test(text)) return `${text} stands for no address`;
  return undefined;
}

type Named<K extends string> = { readonly [key in K]?: string };

/** What is wrong with the name of an interface in the arguments, for `validate`; none where there is no such field. */
export const linkNameProblems = <K extends string>(args: Named<K>, key: K, path: ArgumentProblem['path'] = []): ArgumentProblem[] =>
  problemsAt([...path, key], args[key] === undefined ? undefined : linkNameObjection(args[key]));

/** The same, of a name that may be empty: that is as good as none. */
export const optionalLinkNameProblems = <K extends string>(args: Named<K>, key: K): ArgumentProblem[] =>
  args[key] === '' ? [] : linkNameProblems(args, key);

/** What is wrong with a MAC address in the arguments; an empty one is as good as none. */
export const macProblems = <K extends string>(args: Named<K>, key: K, path: ArgumentProblem['path'] = []): ArgumentProblem[] =>
  problemsAt([...path, key], args[key] ? macObjection(args[key]) : undefined);

const problemsAt = (path: ArgumentProblem['path'], message: string | undefined): ArgumentProblem[] =>
  message === undefined ? [] : [{ path, message }];
