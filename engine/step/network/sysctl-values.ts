import type { Netns, Steps } from '../effect.ts';
import { readSysctl, writeSysctlIfAny } from '../effects/sysctl.ts';
import type { ArgumentProblem } from '../operation.ts';

/*
 * Keys of the kernel in rules, as people write them: `net.ipv4.conf.IFNAME.arp_filter` or `net/ipv4/conf/IFNAME/arp_filter`.
 */

/**
 * The key with slashes, and the interface's name where the rule says IFNAME. With a slash in it, dots are part of a name (`eth0.10`);
 * without, each dot is a slash. CNI: plugins/meta/tuning/tuning.go getSysctlFilename.
 */
export function sysctlKey(text: string, interfaceName?: string): string {
  const key = text.includes('/') ? text : text.replaceAll('.', '/');
  return interfaceName === undefined ? key : key.replaceAll('IFNAME', interfaceName);
}

/** Why the key must not be written, or undefined: only what is below `net` belongs to a network namespace. */
export function sysctlObjection(text: string): string | undefined {
  const key = sysctlKey(text);
  const segments = key.split('/');
  if (!/^[A-Za-z0-9._/@-]+$/.test(key)) return `${JSON.stringify(text)} is not the key of a kernel parameter`;
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return `${JSON.stringify(text)} is not the key of a kernel parameter`;
  }
  if (segments[0] !== 'net' || segments.length < 2) return `${JSON.stringify(text)} is not below net, the part of a network namespace`;
  return undefined;
}

/** Why the value can't be written, or undefined. */
const sysctlValueObjection = (value: string): string | undefined =>
  /^[ -~\t]{1,256}$/.test(value) ? undefined : `${JSON.stringify(value.slice(0, 40))} is not one line of printable characters`;

/** What is wrong with keys and values of a rule. */
export function sysctlProblems(values: Readonly<Record<string, string>>, path: readonly (string | number)[]): ArgumentProblem[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const message = sysctlObjection(key) ?? sysctlValueObjection(value);
    return message === undefined ? [] : [{ path: [...path, key], message }];
  });
}

type Settled = readonly (readonly [key: string, value: string])[];

/** Keys and values of a rule, the keys as {@link sysctlKey} has them. */
export const settleSysctls = (values: Readonly<Record<string, string>>, interfaceName?: string): Settled =>
  Object.entries(values).map(([key, value]) => [sysctlKey(key, interfaceName), value]);

/** What the keys have now; those that the kernel has not are left out. */
export function* readSysctls(netns: Netns, values: Settled): Steps<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const [key] of values) {
    const value = yield* readSysctl(netns, key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

/** Keys that have another value than they should, in words. The kernel may show white space of its own between numbers. */
export function* differingSysctls(netns: Netns, values: Settled): Steps<readonly string[]> {
  const problems: string[] = [];
  for (const [key, value] of values) {
    const found = yield* readSysctl(netns, key);
    if (found === undefined) problems.push(`the kernel has no ${key}`);
    else if (words(found) !== words(value)) problems.push(`${key} is ${found}, not ${value}`);
  }
  return problems;
}

/** Writes old values back, last first, where nobody has changed them since. Keys of interfaces that are gone are passed over. */
export function* restoreSysctls(netns: Netns, values: Settled, old: Readonly<Record<string, string>>): Steps<void> {
  for (const [key, value] of values.toReversed()) {
    const before = Object.hasOwn(old, key) ? old[key] : undefined;
    if (before === undefined) continue;
    const found = yield* readSysctl(netns, key);
    if (found !== undefined && words(found) === words(value) && words(before) !== words(value)) yield* writeSysctlIfAny(netns, key, before);
  }
}

const words = (text: string): string => text.trim().split(/\s+/).join(' ');
