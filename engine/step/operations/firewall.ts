import { boolean, choice, defaulted, type Infer, list, oneOf, optional, string } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { addressProblems } from '../network/address.ts';
import { linkNameObjection } from '../network/link-name.ts';
import { linkName } from '../network/shapes.ts';
import type { ArgumentProblem, Operation, OwnedThing, OwnerTag } from '../operation.ts';
import { type HostAddress, readAll, readHostAddress } from '../packet-filter/address-list.ts';
import { againWith, backendField, backendRequirements, ensureWith, ofNftables } from '../packet-filter/backend.ts';
import { BRIDGED_TRAFFIC, bridgedTrafficProblems, filterBridgedTraffic } from '../packet-filter/bridge-netfilter.ts';
import {
  FORWARD_PREFIX,
  forwardingChains,
  forwardingFoundation,
  isolate,
  isolationProblems,
  stopIsolating,
} from '../packet-filter/forwarding.ts';
import { IPTABLES_FORWARD_PREFIX, iptablesForwardChains, iptablesForwardFoundation } from '../packet-filter/forwarding-iptables.ts';
import { ownedIptables } from '../packet-filter/iptables.ts';
import { type ChainsByFamily, checkByFamily, ensureByFamily, removeByFamily } from '../packet-filter/iptables-families.ts';
import { checkChains, ensureChains, type OwnedChain, ownedChains, removeChains } from '../packet-filter/owned-chain.ts';
import { checkPolicies, ensurePolicies, ownedPolicies, removePolicies } from '../packet-filter/policies.ts';
import { DIRECTIONS, isIsolatingPods, type PolicyDirection, policies, policiesProblems } from '../packet-filter/policy-shape.ts';

const shape = choice(
  {
    addresses: list(string({ maxLength: 64 }), { maxItems: 64, doc: 'Addresses of a pod whose connections are let through.' }),
    policies,
  },
  {
    ingressPolicy: defaulted(oneOf('open', 'same-bridge', 'isolated'), 'open'),
    bridge: optional(linkName('The bridge of the pod, for an `ingressPolicy` that is not open.')),
    adminChain: defaulted(
      string({
        pattern: /^[A-Za-z][A-Za-z0-9_-]{0,27}$/,
        patternName: 'the name of a chain',
        doc: "The administrator's own chain, which is asked first. It is made empty, and never changed.",
      }),
      'CNI-ADMIN',
    ),
    bridged: defaulted(
      boolean({
        doc: 'Whether pods under `policies` hang on a bridge of the host, which then must show to the firewall what passes from one to the other.',
      }),
      true,
    ),
    backend: backendField,
  },
);
type Arguments = Infer<typeof shape>;
type LetThrough = Extract<Arguments, { readonly addresses: readonly string[] }>;

/**
 * Two things that a firewall does for pods:
 * - `addresses`: connections of a pod are let through, as the official plugin does (plugins/meta/firewall). What other rules of iptables
 *   drop, such as Docker's, only rules of iptables can let through: such a host needs that backend.
 * - `policies`: only some connections of some pods are let through, as network policies want it. All policies that a rule has are one step: so
 *   they change at once, and a pod is never between two of them.
 */
export const FIREWALL: Operation<Arguments> = {
  name: 'firewall',
  group: 'network',
  doc: "Lets a pod's connections through, or only those that network policies allow.",
  arguments: shape,
  // Policies have the addresses of a cluster.
  maxArgumentsSize: 4 * 1024 * 1024,
  outputs: {},
  lifetime: 'owned',

  validate(args): readonly ArgumentProblem[] {
    if (args.policies !== undefined) {
      const backend = args.backend === 'iptables' ? [{ path: ['backend'], message: 'network policies need nftables' }] : [];
      return [...policiesProblems(args.policies, ['policies']), ...backend];
    }
    const bridge = args.bridge === undefined ? undefined : linkNameObjection(args.bridge);
    return [
      ...addressProblems(args.addresses, ['addresses']),
      ...(bridge === undefined ? [] : [{ path: ['bridge'], message: bridge }]),
      ...(args.ingressPolicy !== 'open' && args.bridge === undefined
        ? [{ path: ['ingressPolicy'], message: `"${args.ingressPolicy}" needs to know the bridge: \`bridge\` is missing` }]
        : []),
    ];
  },
  requires(args) {
    const isBridged = args.policies === undefined ? isIsolating(args) : needsBridgedTraffic(args);
    return [...backendRequirements(args.policies === undefined ? args.backend : 'nftables'), ...(isBridged ? BRIDGED_TRAFFIC : [])];
  },
  lockKeys(args) {
    return args.policies !== undefined || args.ingressPolicy === 'open' ? [] : [`isolation:${args.bridge}`];
  },

  // Pods are never without their policies while these change. What lets a pod through is as short-lived as the pod.
  identity: (args) => (args.policies === undefined ? JSON.stringify(args) : 'policies'),

  *ensure(args, { owner, memory, recollection }) {
    if (args.policies !== undefined) {
      if (needsBridgedTraffic(args)) yield* filterBridgedTraffic();
      yield* ensurePolicies(args.policies, owner, recollection);
      return {};
    }
    if (isIsolating(args)) yield* filterBridgedTraffic();
    yield* ensureWith(args.backend, memory, {
      *nftables() {
        yield* ensureChains(forwardingFoundation(args.adminChain), chainsOf(args, owner), owner.text, 'always');
        if (isIsolating(args)) yield* isolate(args.bridge, args.ingressPolicy === 'isolated');
      },
      iptables: () => ensureByFamily(iptablesOf(args, owner), owner.text),
    });
    return {};
  },

  *check(args, { owner, memory }) {
    if (args.policies !== undefined) {
      const bridged = needsBridgedTraffic(args) ? yield* bridgedTrafficProblems() : [];
      return [...bridged, ...(yield* checkPolicies(args.policies, owner))];
    }
    return yield* againWith(args.backend, memory, {
      *nftables() {
        const isolation = isIsolating(args) ? yield* isolationProblems(args.bridge) : [];
        return [...(yield* checkChains(chainsOf(args, owner))), ...isolation];
      },
      iptables: () => checkByFamily(iptablesOf(args, owner)),
    });
  },

  *undo(args, { owner, memory, recollection }) {
    if (args.policies !== undefined) {
      recollection?.take();
      return yield* removePolicies(owner);
    }
    yield* againWith(args.backend, memory, {
      *nftables() {
        yield* removeChains(chainsOf(args, owner));
        if (isIsolating(args)) yield* stopIsolating(args.bridge);
      },
      iptables: () => removeByFamily(iptablesOf(args, owner)),
    });
  },

  *inventory(): Steps<readonly OwnedThing[]> {
    return [
      ...(yield* ofNftables(ownedChains(FORWARD_PREFIX))),
      ...(yield* ownedIptables('filter', IPTABLES_FORWARD_PREFIX)),
      ...(yield* ofNftables(ownedPolicies())),
    ];
  },
  predict: () => ({}),
  describe(args) {
    const { policies } = args;
    if (policies !== undefined) {
      const parts = DIRECTIONS.flatMap((each) => (policies[each].pods.length === 0 ? [] : [`${each} of ${sizesOf(policies[each])}`]));
      return `network policies for ${parts.length === 0 ? 'nobody' : parts.join(', and ')}`;
    }
    const from = args.ingressPolicy === 'open' ? '' : `, ${args.ingressPolicy} on ${args.bridge}`;
    return `let through ${args.addresses.join(', ')}${from}`;
  },
};

function sizesOf({ policies, pods }: PolicyDirection): string {
  const count = pods.reduce((sum, { addresses }) => sum + addresses.length, 0);
  const names = Object.keys(policies).length;
  return `${count} address${count === 1 ? '' : 'es'} by ${names} polic${names === 1 ? 'y' : 'ies'}`;
}

const isIsolating = (args: LetThrough): args is LetThrough & { readonly bridge: string } =>
  args.ingressPolicy !== 'open' && args.bridge !== undefined;

/** Rules as they are written may have an expression for the policies: then it is not known yet. */
const needsBridgedTraffic = ({ bridged, policies: wanted }: Extract<Arguments, { readonly policies: object }>): boolean =>
  bridged && typeof wanted === 'object' && isIsolatingPods(wanted);

const addressesOf = ({ addresses }: LetThrough): readonly HostAddress[] => readAll(addresses, readHostAddress);

const chainsOf = (args: LetThrough, owner: OwnerTag): readonly OwnedChain[] =>
  forwardingChains(addressesOf(args), args.adminChain, owner, isIsolating(args) ? args.bridge : undefined);

function iptablesOf(args: LetThrough, owner: OwnerTag): ChainsByFamily {
  const isolation = isIsolating(args) ? { bridge: args.bridge, inside: args.ingressPolicy === 'isolated' } : undefined;
  return {
    foundation: () => iptablesForwardFoundation(args.adminChain),
    chains(family) {
      const addresses = addressesOf(args).filter((address) => address.family === family);
      return iptablesForwardChains(addresses, owner, isolation);
    },
  };
}
