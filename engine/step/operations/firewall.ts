import { isJsonObject } from '../../object/json.ts';
import { choice, defaulted, type Infer, list, oneOf, optional, string } from '../../text/shape.ts';
import type { Steps } from '../effect.ts';
import { remember } from '../effects/step.ts';
import { addressProblems } from '../network/address.ts';
import { linkNameObjection } from '../network/link-name.ts';
import { linkName } from '../network/shapes.ts';
import type { ArgumentProblem, Operation, OwnedThing, OwnerTag } from '../operation.ts';
import { type HostAddress, readAll, readHostAddress } from '../packet-filter/address-list.ts';
import { againWith, backendField, backendRequirements, ensureWith } from '../packet-filter/backend.ts';
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
import { checkIptables, ensureIptables, type IptablesChain, ownedIptables, removeIptables } from '../packet-filter/iptables.ts';
import { checkChains, ensureChains, type OwnedChain, ownedChains, removeChains } from '../packet-filter/owned-chain.ts';
import {
  checkPolicy,
  ensurePolicy,
  type KnownPolicy,
  knownPolicy,
  ownedPolicies,
  POLICY_LOCK,
  removePolicy,
} from '../packet-filter/policy.ts';
import { policyRules } from '../packet-filter/policy-rules.ts';
import { policy, policyProblems } from '../packet-filter/policy-shape.ts';

const shape = choice(
  {
    addresses: list(string({ maxLength: 64 }), { maxItems: 64, doc: 'Addresses of a pod whose connections are let through.' }),
    policy,
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
    backend: backendField,
  },
);
type Arguments = Infer<typeof shape>;
type LetThrough = Extract<Arguments, { readonly addresses: readonly string[] }>;

/**
 * Two things that a firewall does for pods:
 * - `addresses`: connections of a pod are let through, as the official plugin does (plugins/meta/firewall). What other rules of iptables
 *   drop, such as Docker's, only rules of iptables can let through: such a host needs that backend.
 * - `policy`: only some connections of some pods are let through, as network policies want it.
 */
export const FIREWALL: Operation<Arguments> = {
  name: 'firewall',
  group: 'network',
  doc: "Lets a pod's connections through, or only those that a network policy allows.",
  arguments: shape,
  outputs: {},
  lifetime: 'owned',

  validate(args): readonly ArgumentProblem[] {
    if (args.policy !== undefined) {
      const backend = args.backend === 'iptables' ? [{ path: ['backend'], message: 'network policies need nftables' }] : [];
      return [...policyProblems(args.policy, ['policy']), ...backend];
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
    const isBridged = args.policy === undefined ? isIsolating(args) : args.policy.bridged;
    return [...backendRequirements(args.policy === undefined ? args.backend : 'nftables'), ...(isBridged ? BRIDGED_TRAFFIC : [])];
  },
  lockKeys(args) {
    if (args.policy !== undefined) return [POLICY_LOCK];
    return args.ingressPolicy === 'open' ? [] : [`isolation:${args.bridge}`];
  },

  // Pods are never without their policy while it changes. What lets a pod through is as short-lived as the pod.
  identity: (args) => (args.policy === undefined ? JSON.stringify(args) : JSON.stringify([args.policy.direction, args.policy.name])),

  *ensure(args, { owner, memory }) {
    if (args.policy !== undefined) {
      if (args.policy.bridged) yield* filterBridgedTraffic();
      const policy = policyRules(args.policy, owner);
      const known = isJsonObject(memory) ? (memory as KnownPolicy) : undefined;
      yield* ensurePolicy(policy, owner.text, known);
      if (known?.marker !== policy.marker) yield* remember(knownPolicy(policy));
      return {};
    }
    if (isIsolating(args)) yield* filterBridgedTraffic();
    yield* ensureWith(args.backend, memory, {
      *nftables() {
        yield* ensureChains(forwardingFoundation(args.adminChain), chainsOf(args, owner), owner.text, 'always');
        if (isIsolating(args)) yield* isolate(args.bridge, args.ingressPolicy === 'isolated');
      },
      *iptables() {
        const foundation = iptablesForwardFoundation(args.adminChain);
        for (const family of FAMILIES) yield* ensureIptables(family, foundation, iptablesChainsOf(args, owner, family), owner.text);
      },
    });
    return {};
  },

  *check(args, { owner, memory }) {
    if (args.policy !== undefined) {
      const bridged = args.policy.bridged ? yield* bridgedTrafficProblems() : [];
      return [...bridged, ...(yield* checkPolicy(policyRules(args.policy, owner)))];
    }
    return yield* againWith(args.backend, memory, {
      *nftables() {
        const isolation = isIsolating(args) ? yield* isolationProblems(args.bridge) : [];
        return [...(yield* checkChains(chainsOf(args, owner))), ...isolation];
      },
      *iptables() {
        const problems: string[] = [];
        const foundation = iptablesForwardFoundation(args.adminChain);
        for (const family of FAMILIES) problems.push(...(yield* checkIptables(family, foundation, iptablesChainsOf(args, owner, family))));
        return problems;
      },
    });
  },

  *undo(args, { owner, memory }) {
    if (args.policy !== undefined) return yield* removePolicy(policyRules(args.policy, owner).chain);
    yield* againWith(args.backend, memory, {
      *nftables() {
        yield* removeChains(chainsOf(args, owner));
        if (isIsolating(args)) yield* stopIsolating(args.bridge);
      },
      *iptables() {
        for (const family of FAMILIES) {
          const chains = iptablesChainsOf(args, owner, family).map(({ chain }) => chain);
          if (chains.length > 0) yield* removeIptables(family, 'filter', chains);
        }
      },
    });
  },

  *inventory(): Steps<readonly OwnedThing[]> {
    return [
      ...(yield* ownedChains(FORWARD_PREFIX)),
      ...(yield* ownedIptables('filter', IPTABLES_FORWARD_PREFIX)),
      ...(yield* ownedPolicies()),
    ];
  },
  predict: () => ({}),
  describe(args) {
    if (args.policy !== undefined) {
      const { name, direction, pods, allow } = args.policy;
      return `policy ${name} for ${direction} of ${pods.length} pods, which allows ${allow.length === 0 ? 'nothing' : `${allow.length} kinds of connections`}`;
    }
    const from = args.ingressPolicy === 'open' ? '' : `, ${args.ingressPolicy} on ${args.bridge}`;
    return `let through ${args.addresses.join(', ')}${from}`;
  },
};

const FAMILIES = [4, 6] as const;

const isIsolating = (args: LetThrough): args is LetThrough & { readonly bridge: string } =>
  args.ingressPolicy !== 'open' && args.bridge !== undefined;

const addressesOf = ({ addresses }: LetThrough): readonly HostAddress[] => readAll(addresses, readHostAddress);

const chainsOf = (args: LetThrough, owner: OwnerTag): readonly OwnedChain[] =>
  forwardingChains(addressesOf(args), args.adminChain, owner, isIsolating(args) ? args.bridge : undefined);

function iptablesChainsOf(args: LetThrough, owner: OwnerTag, wanted: 4 | 6): readonly IptablesChain[] {
  const isolation = isIsolating(args) ? { bridge: args.bridge, inside: args.ingressPolicy === 'isolated' } : undefined;
  return iptablesForwardChains(
    addressesOf(args).filter(({ family }) => family === wanted),
    owner,
    isolation,
  );
}
