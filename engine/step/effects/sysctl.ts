import type { Effect, Netns, Steps } from '../effect.ts';

/** Value of a key like `net/ipv4/ip_forward`; undefined where the kernel has no such key. */
export function* readSysctl(netns: Netns, key: string): Steps<string | undefined> {
  return (yield { kind: 'sysctl-read', netns, key }) as string | undefined;
}

/** @throws EffectError `missing` where the kernel has no such key. */
export function* writeSysctl(netns: Netns, key: string, value: string): Steps<void> {
  yield { kind: 'sysctl-write', netns, key, value };
}

/** Writes a key where there is one: a kernel without IPv6 has none of its keys. */
export function* writeSysctlIfAny(netns: Netns, key: string, value: string): Steps<void> {
  yield { kind: 'sysctl-write', netns, key, value, tolerate: ['missing'] };
}

type Values = readonly (readonly [key: string, value: string])[];

/** Writes of several keys, for effects that are performed together. */
export const sysctlWrites = (netns: Netns, values: Values): Effect[] =>
  values.map(([key, value]) => ({ kind: 'sysctl-write', netns, key, value }));

/** The same, each where there is one. */
export const sysctlWritesIfAny = (netns: Netns, values: Values): Effect[] =>
  values.map(([key, value]) => ({ kind: 'sysctl-write', netns, key, value, tolerate: ['missing'] }));
