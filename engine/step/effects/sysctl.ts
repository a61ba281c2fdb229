import { EffectError, type Netns, type Steps } from '../effect.ts';

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
  try {
    yield* writeSysctl(netns, key, value);
  } catch (error) {
    if (!(error instanceof EffectError && error.code === 'missing')) throw error;
  }
}

/** Writes several keys that don't depend on each other, at once, each where there is one. */
export function* writeSysctlsIfAny(netns: Netns, values: readonly (readonly [key: string, value: string])[]): Steps<void> {
  try {
    yield* writeSysctls(netns, values);
  } catch (error) {
    if (!(error instanceof EffectError && error.code === 'missing')) throw error;
  }
}

/** Writes several keys that don't depend on each other, at once. @throws EffectError of the first that fails, when all were tried. */
export function* writeSysctls(netns: Netns, values: readonly (readonly [key: string, value: string])[]): Steps<void> {
  yield { kind: 'all', effects: values.map(([key, value]) => ({ kind: 'sysctl-write', netns, key, value })) };
}
