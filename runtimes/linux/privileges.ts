import { readFileSync } from 'node:fs';

/** What it takes to change networks, and to enter those of containers; by the number of the capability. Linux: include/uapi/linux/capability.h. */
const NEEDED: readonly (readonly [number, string])[] = [
  [12, 'CAP_NET_ADMIN'],
  [21, 'CAP_SYS_ADMIN'],
];

/**
 * Capabilities that this process lacks to do network steps. None where that can't be known, as on other systems. `status` is the text of
 * `/proc/self/status`.
 */
export function missingPrivileges(status: string | undefined = ownStatus()): readonly string[] {
  const effective = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1];
  if (effective === undefined) return [];
  const held = BigInt(`0x${effective}`);
  return NEEDED.filter(([number]) => ((held >> BigInt(number)) & 1n) === 0n).map(([, name]) => name);
}

function ownStatus(): string | undefined {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return undefined;
  }
}
