import { defaulted, type Infer, integer, list, map, object, oneOf, optional, type StringShape, string, union } from '../../text/shape.ts';
import { addressProblems } from '../network/address.ts';
import type { ArgumentProblem } from '../operation.ts';

const port = object({
  protocol: defaulted(oneOf('tcp', 'udp', 'sctp', 'TCP', 'UDP', 'SCTP'), 'tcp'),
  port: optional(integer({ minimum: 1, maximum: 65535, doc: 'All of the protocol where there is none.' })),
  endPort: optional(integer({ minimum: 1, maximum: 65535, doc: 'Last of the ports from `port` on.' })),
});
export type PolicyPort = Infer<typeof port>;

const addresses = (doc: string) => list(string({ maxLength: 64 }), { maxItems: 262_144, doc });
const NAME: StringShape = { kind: 'string', minLength: 1, maxLength: 512 };
const name = string({ minLength: 1, maxLength: 512 });

const allowance = object({
  peers: defaulted(
    union(
      oneOf('any'),
      list(string({ maxLength: 513 }), {
        maxItems: 65_536,
        doc: 'Addresses, networks, and groups: `@` and the name of one. An empty list is nobody.',
      }),
    ),
    'any',
  ),
  except: defaulted(addresses('Addresses and networks among the peers that are not meant.'), []),
  ports: defaulted(
    union(oneOf('any'), list(port, { maxItems: 1024, doc: 'Ports of whoever is connected to; an empty list is none.' })),
    'any',
  ),
});
export type PolicyAllowance = Infer<typeof allowance>;

const isolated = object({
  addresses: list(string({ maxLength: 64 }), { maxItems: 4096, doc: 'Of pods of this host; prefix lengths do not matter.' }),
  policies: defaulted(list(name, { maxItems: 4096, doc: 'What any of them allows passes; where there is none, nothing does.' }), []),
});

const direction = defaulted(
  object({
    policies: defaulted(map(list(allowance, { maxItems: 1024 }), { key: NAME, doc: 'Connections that a policy allows, by its name.' }), {}),
    pods: defaulted(list(isolated, { maxItems: 4096, doc: 'Who is isolated in this direction, each pod once.' }), []),
  }),
  { policies: {}, pods: [] },
);
export type PolicyDirection = Infer<typeof direction>;

/**
 * All network policies of a host, resolved to addresses. Kubernetes: NetworkPolicy of networking.k8s.io/v1, where the pods are those of this
 * node that are selected.
 */
export const policies = object({
  groups: defaulted(
    map(addresses('Addresses of the members.'), {
      key: NAME,
      doc: 'Peers that several policies allow: a member that comes is one change.',
    }),
    {},
  ),
  ingress: direction,
  egress: direction,
});
export type Policies = Infer<typeof policies>;

export const DIRECTIONS = ['ingress', 'egress'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Whether any pod is isolated. */
export const isIsolatingPods = (args: Policies): boolean =>
  DIRECTIONS.some((each) => args[each].pods.some((entry) => entry.addresses.length > 0));

type Path = readonly (string | number)[];

/** What is wrong with policies beyond their shape; paths are below `at`. */
export function policiesProblems(args: Policies, at: Path): readonly ArgumentProblem[] {
  return [
    ...Object.entries(args.groups).flatMap(([group, members]) => [
      ...nameProblems(group, [...at, 'groups', group]),
      ...addressProblems(members, [...at, 'groups', group]),
    ]),
    ...DIRECTIONS.flatMap((each) => directionProblems(args[each], args.groups, [...at, each])),
  ];
}

function directionProblems({ policies, pods }: PolicyDirection, groups: Policies['groups'], at: Path): readonly ArgumentProblem[] {
  const seen = new Set<string>();
  return [
    ...Object.entries(policies).flatMap(([policy, allowances]) => [
      ...nameProblems(policy, [...at, 'policies', policy]),
      ...allowances.flatMap((each, index) => allowanceProblems(each, groups, [...at, 'policies', policy, index])),
    ]),
    ...pods.flatMap((entry, index) => [
      ...addressProblems(entry.addresses, [...at, 'pods', index, 'addresses']),
      ...entry.addresses.flatMap((address, position) => {
        const isFirst = !seen.has(address);
        seen.add(address);
        return isFirst ? [] : [{ path: [...at, 'pods', index, 'addresses', position], message: `${address} stands in the list already` }];
      }),
      ...entry.policies.flatMap((policy, position) =>
        Object.hasOwn(policies, policy)
          ? []
          : [{ path: [...at, 'pods', index, 'policies', position], message: `there is no policy ${JSON.stringify(policy)}` }],
      ),
    ]),
  ];
}

function allowanceProblems({ peers, except, ports }: PolicyAllowance, groups: Policies['groups'], at: Path): readonly ArgumentProblem[] {
  return [
    ...(peers === 'any' ? [] : peers.flatMap((peer, index) => peerProblems(peer, groups, [...at, 'peers', index]))),
    ...addressProblems(except, [...at, 'except']),
    ...(ports === 'any' ? [] : portProblems(ports, [...at, 'ports'])),
  ];
}

function peerProblems(peer: string, groups: Policies['groups'], path: Path): readonly ArgumentProblem[] {
  const group = groupOf(peer);
  if (group === undefined) return addressProblems([peer], []).map(({ message }) => ({ path, message }));
  return Object.hasOwn(groups, group) ? [] : [{ path, message: `there is no group ${JSON.stringify(group)}` }];
}

const nameProblems = (text: string, path: Path): readonly ArgumentProblem[] =>
  /[\u0000-\u001f\u007f]/.test(text) ? [{ path, message: `${JSON.stringify(text)} holds control characters` }] : [];

/** The group that a peer names; undefined where it is an address or a network. */
export const groupOf = (peer: string): string | undefined => (peer.startsWith('@') ? peer.slice(1) : undefined);

const portProblems = (ports: readonly PolicyPort[], at: Path): readonly ArgumentProblem[] =>
  ports.flatMap(({ port: first, endPort }, index) => {
    if (endPort === undefined) return [];
    if (first === undefined) return [{ path: [...at, index, 'endPort'], message: 'stands without `port`' }];
    return endPort < first ? [{ path: [...at, index, 'endPort'], message: `is less than port ${first}` }] : [];
  });
