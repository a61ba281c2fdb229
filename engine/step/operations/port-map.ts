import type { Steps } from '../effect.ts';
import { type RouteRow, show } from '../effects/show.ts';
import { readSysctl, writeSysctl } from '../effects/sysctl.ts';
import { addressProblems } from '../network/address.ts';
import type { Operation, OwnedThing, OwnerTag } from '../operation.ts';
import { againWith, backendRequirements, ensureWith, ofNftables } from '../packet-filter/backend.ts';
import { ownedIptables } from '../packet-filter/iptables.ts';
import { type ChainsByFamily, checkByFamily, ensureByFamily, removeByFamily } from '../packet-filter/iptables-families.ts';
import { checkChains, ensureChains, ownedChains, removeChains } from '../packet-filter/owned-chain.ts';
import {
  endpoint,
  type Mapping,
  mappingsOf,
  type PortMapArguments,
  portMapShape,
  portProblems,
  portText,
} from '../packet-filter/port-mapping.ts';
import {
  IPTABLES_PORT_PREFIX,
  iptablesPortChains,
  iptablesPortFoundation,
  staleIptablesPorts,
} from '../packet-filter/port-mapping-iptables.ts';
import { leadsTo, PORT_MAP_PREFIX, portMapChains, portMapFoundation } from '../packet-filter/port-mapping-nftables.ts';
import { forgetUdpFlows } from '../packet-filter/udp-flows.ts';

/**
 * Official plugin: plugins/meta/portmap. Different from there: a port that somebody else has is an error that names them, instead of going
 * to whoever comes last; a connection to the host's own `::1` is refused instead of hanging.
 *
 * A pod on a bridge reaches itself by a port of the host only if its port of the bridge is in hairpin mode (`veth: { host: { hairpin } }`):
 * bridges of a kernel with br_netfilter send back what goes where it came from without asking the host's routes.
 */
export const PORT_MAP: Operation<PortMapArguments> = {
  name: 'portMap',
  group: 'network',
  doc: 'Leads connections to ports of the host to a pod.',
  arguments: portMapShape,
  outputs: {},
  lifetime: 'owned',
  validate: (args) => [...addressProblems(args.to, ['to']), ...portProblems(args)],
  requires: ({ backend }) => backendRequirements(backend),
  lockKeys: () => [],

  *ensure(args, { owner, memory }) {
    const mappings = mappingsOf(args);
    yield* ensureWith(args.backend, memory, {
      nftables: () => {
        const targets = new Set(mappings.map(({ target }) => target.address));
        return ensureChains(portMapFoundation(args.markBit), portMapChains(args, owner), owner.text, (found) => leadsTo(found, targets));
      },
      iptables: () => ensureByFamily(iptablesOf(args, owner), owner.text),
    });
    if (args.snat) yield* routeLocalhost(mappings);
    yield* forgetUdpFlows(mappings);
    return {};
  },

  *check(args, { owner, memory }) {
    return yield* againWith(args.backend, memory, {
      nftables: () => checkChains(portMapChains(args, owner)),
      iptables: () => checkByFamily(iptablesOf(args, owner)),
    });
  },

  *undo(args, { owner, memory }) {
    yield* againWith(args.backend, memory, {
      nftables: () => removeChains(portMapChains(args, owner)),
      iptables: () => removeByFamily(iptablesOf(args, owner)),
    });
  },

  *inventory(): Steps<readonly OwnedThing[]> {
    return [...(yield* ofNftables(ownedChains(PORT_MAP_PREFIX))), ...(yield* ownedIptables('nat', IPTABLES_PORT_PREFIX))];
  },
  predict: () => ({}),
  describe: (args) =>
    mappingsOf(args)
      .map((mapping) => `${portText(mapping)} of the host to ${endpoint(mapping)}`)
      .join(', '),
};

const iptablesOf = (args: PortMapArguments, owner: OwnerTag): ChainsByFamily => ({
  foundation: (family) => iptablesPortFoundation(family, args.markBit),
  chains: (family) => iptablesPortChains(args, owner, family),
  stale(table, chains, family) {
    const mappings = mappingsOf(args).filter(({ target }) => target.family === family);
    return staleIptablesPorts(table, mappings, chains);
  },
});

/** Lets the host's own connections to 127.0.0.1 leave by the link that leads to the pod. */
function* routeLocalhost(mappings: readonly Mapping[]): Steps<void> {
  const address = mappings.find(({ target }) => target.family === 4)?.target.address;
  if (address === undefined) return;
  const device = (yield* show<RouteRow>('ip', undefined, 'route', 'get', address))[0]?.dev;
  if (device === undefined || device === 'lo') return;
  const key = `net/ipv4/conf/${device}/route_localnet`;
  if ((yield* readSysctl(undefined, key)) !== '1') yield* writeSysctl(undefined, key, '1');
}
