import type { OwnerTag } from '../operation.ts';
import type { HostAddress } from './address-list.ts';
import { type IptablesChain, type IptablesFoundation, iptablesChainName } from './iptables.ts';

/** Names of chains of pods whose connections are let through, and of the bridges they are on, begin so. */
export const IPTABLES_FORWARD_PREFIX = 'FL-FWD-';

const FORWARD = 'FAIRLEAD-FORWARD';
const ISOLATION = 'FAIRLEAD-ISOLATION';
const ISOLATED = 'FAIRLEAD-ISOLATED';

/** As the official plugin has it, with chains of our own but for the administrator's: plugins/meta/firewall/{iptables,ingresspolicy}.go. */
export const iptablesForwardFoundation = (admin: string): IptablesFoundation => ({
  table: 'filter',
  chains: [FORWARD, admin, ISOLATION, ISOLATED],
  rules: [
    { in: 'FORWARD', rule: `-j ${FORWARD}`, first: true },
    { in: 'FORWARD', rule: `-j ${ISOLATION}`, first: true },
    { in: FORWARD, rule: `-j ${admin}`, first: true },
  ],
});

export function iptablesForwardChains(
  addresses: readonly HostAddress[],
  owner: OwnerTag,
  isolation: { readonly bridge: string; readonly inside: boolean } | undefined,
): readonly IptablesChain[] {
  const name = (seed: string): string => iptablesChainName(IPTABLES_FORWARD_PREFIX, owner, seed);
  const pods = addresses.map(({ family, address }): IptablesChain => {
    const cidr = `${address}/${family === 4 ? 32 : 128}`;
    return {
      chain: name(address),
      rules: [`-d ${cidr} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, `-s ${cidr} -j ACCEPT`],
      entries: [`-d ${cidr}`, `-s ${cidr}`].map((match) => ({ in: FORWARD, match })),
    };
  });
  if (isolation === undefined || addresses.length === 0) return pods;
  const { bridge, inside } = isolation;
  return [
    ...pods,
    // Each owner has these for itself: they go with it, and the first match is enough.
    {
      chain: name(`from ${bridge}`),
      rules: [`-o ${bridge} -j ${inside ? 'DROP' : 'RETURN'}`, `-j ${ISOLATED}`],
      entries: [{ in: ISOLATION, match: `-i ${bridge}` }],
    },
    { chain: name(`into ${bridge}`), rules: ['-j DROP'], entries: [{ in: ISOLATED, match: `-o ${bridge}` }] },
  ];
}
