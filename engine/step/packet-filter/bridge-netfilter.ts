import { EffectError, type Steps } from '../effect.ts';
import { readSysctl, writeSysctl } from '../effects/sysctl.ts';
import type { Requirement } from '../requirement.ts';

const KEYS = ['net/bridge/bridge-nf-call-iptables', 'net/bridge/bridge-nf-call-ip6tables'] as const;

/** What a host must have for {@link filterBridgedTraffic}. */
export const BRIDGED_TRAFFIC: readonly Requirement[] = KEYS.map((name) => ({ kind: 'sysctl', name }));

/**
 * Makes bridges of the host show to its firewall what passes from port to port. It stays so: others rely on it, too (Kubernetes has it as a
 * condition). nftables' own tables for bridges would not do: they know connections only with a module that many kernels lack.
 * @throws EffectError `unsupported` where the kernel can't.
 */
export function* filterBridgedTraffic(): Steps<void> {
  for (const key of KEYS) {
    const value = yield* readSysctl(undefined, key);
    if (value === undefined) {
      const message = 'the kernel does not show to the firewall what passes through bridges (CONFIG_BRIDGE_NETFILTER, module br_netfilter)';
      throw new EffectError('unsupported', message, `sysctl ${key.replaceAll('/', '.')}`);
    }
    if (value !== '1') yield* writeSysctl(undefined, key, '1');
  }
}

/** Whether {@link filterBridgedTraffic} has lasted, as problems. */
export function* bridgedTrafficProblems(): Steps<readonly string[]> {
  const problems: string[] = [];
  for (const key of KEYS) {
    if ((yield* readSysctl(undefined, key)) !== '1')
      problems.push(`${key.replaceAll('/', '.')} is not 1: what passes through bridges is not filtered`);
  }
  return problems;
}
