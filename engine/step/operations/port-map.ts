import type { Steps } from '../effect.ts';
import { type RouteRow, show } from '../effects/show.ts';
import { readSysctl, writeSysctl } from '../effects/sysctl.ts';
import { addressProblems } from '../network/address.ts';
import type { Operation, OwnedThing } from '../operation.ts';
import { againWith, backendRequirements, ensureWith } from '../packet-filter/backend.ts';
import { checkIptables, ensureIptables, ownedIptables, removeIptables } from '../packet-filter/iptables.ts';
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
      *iptables() {
        for (const family of FAMILIES) {
          const chains = iptablesPortChains(args, owner, family);
          yield* ensureIptables(family, iptablesPortFoundation(family, args.markBit), chains, owner.text, (table) =>
            staleIptablesPorts(
              table,
              mappings.filter(({ target }) => target.family === family),
              chains,
            ),
          );
        }
      },
    });
    if (args.snat) yield* routeLocalhost(mappings);
    yield* forgetUdpFlows(mappings);
    return {};
  },

  *check(args, { owner, memory }) {
    return yield* againWith(args.backend, memory, {
      nftables: () => checkChains(portMapChains(args, owner)),
      *iptables() {
        const problems: string[] = [];
        for (const family of FAMILIES) {
          problems.push(
            ...(yield* checkIptables(family, iptablesPortFoundation(family, args.markBit), iptablesPortChains(args, owner, family))),
          );
        }
        return problems;
      },
    });
  },

  *undo(args, { owner, memory }) {
    yield* againWith(args.backend, memory, {
      nftables: () => removeChains(portMapChains(args, owner)),
      *iptables() {
        for (const family of FAMILIES) {
          const chains = iptablesPortChains(args, owner, family).map(({ chain }) => chain);
          if (chains.length > 0) yield* removeIptables(family, 'nat', chains);
        }
      },
    });
  },

  *inventory(): Steps<readonly OwnedThing[]> {
    return [...(yield* ownedChains(PORT_MAP_PREFIX)), ...(yield* ownedIptables('nat', IPTABLES_PORT_PREFIX))];
  },
  predict: () => ({}),
  describe: (args) =>
    mappingsOf(args)
      .map((mapping) => `${portText(mapping)} of the host to ${endpoint(mapping)}`)
      .join(', '),
};

const FAMILIES = [4, 6] as const;

/** Lets the host's own connections to 127.0.0.1 leave by the link that leads to the pod. */
function* routeLocalhost(mappings: readonly Mapping[]): Steps<void> {
  const address = mappings.find(({ target }) => target.family === 4)?.target.address;
  if (address === undefined) return;
  const device = (yield* show<RouteRow>('ip', undefined, 'route', 'get', address))[0]?.dev;
  if (device === undefined || device === 'lo') return;
  const key = `net/ipv4/conf/${device}/route_localnet`;
  if ((yield* readSysctl(undefined, key)) !== '1') yield* writeSysctl(undefined, key, '1');
}
