import { boolean, defaulted, type Infer, integer, list, object, oneOf, optional, string, union } from '../../text/shape.ts';
import { addressProblems } from '../network/address.ts';
import type { ArgumentProblem } from '../operation.ts';

const port = object({
  protocol: defaulted(oneOf('tcp', 'udp', 'sctp', 'TCP', 'UDP', 'SCTP'), 'tcp'),
  port: optional(integer({ minimum: 1, maximum: 65535, doc: 'All of the protocol where there is none.' })),
  endPort: optional(integer({ minimum: 1, maximum: 65535, doc: 'Last of the ports from `port` on.' })),
});
export type PolicyPort = Infer<typeof port>;

const addresses = (doc: string) => list(string({ maxLength: 64 }), { maxItems: 65_536, doc });

const allowance = object({
  peers: defaulted(union(oneOf('any'), addresses('Addresses and networks; an empty list is nobody.')), 'any'),
  except: defaulted(addresses('Addresses and networks among the peers that are not meant.'), []),
  ports: defaulted(
    union(oneOf('any'), list(port, { maxItems: 1024, doc: 'Ports of whoever is connected to; an empty list is none.' })),
    'any',
  ),
});
export type PolicyAllowance = Infer<typeof allowance>;

/**
 * A network policy, resolved to addresses. Kubernetes: NetworkPolicy of networking.k8s.io/v1, where the pods are those of this node that
 * are selected. Several policies for one pod allow what any of them allows.
 */
export const policy = object({
  name: string({ minLength: 1, maxLength: 512, doc: 'Tells apart the policies of one rule: `<namespace>/<name>`.' }),
  direction: oneOf('ingress', 'egress'),
  pods: list(string({ maxLength: 64 }), { maxItems: 4096, doc: 'Addresses of the pods of this host that are isolated in this direction.' }),
  allow: defaulted(list(allowance, { maxItems: 1024, doc: 'Connections that pass; others of these pods do not.' }), []),
  bridged: defaulted(
    boolean({ doc: 'Whether pods hang on a bridge of the host, which then must show to the firewall what passes from one to the other.' }),
    true,
  ),
});
export type Policy = Infer<typeof policy>;

/** What is wrong with a policy beyond its shape; paths are below `at`. */
export function policyProblems({ name, pods, allow }: Policy, at: readonly (string | number)[]): readonly ArgumentProblem[] {
  return [
    ...(/[\u0000-\u001f\u007f]/.test(name) ? [{ path: [...at, 'name'], message: `${JSON.stringify(name)} holds control characters` }] : []),
    ...addressProblems(pods, [...at, 'pods']),
    ...allow.flatMap(({ peers, except, ports }, index) => [
      ...(peers === 'any' ? [] : addressProblems(peers, [...at, 'allow', index, 'peers'])),
      ...addressProblems(except, [...at, 'allow', index, 'except']),
      ...(ports === 'any' ? [] : portProblems(ports, [...at, 'allow', index, 'ports'])),
    ]),
  ];
}

const portProblems = (ports: readonly PolicyPort[], at: readonly (string | number)[]): readonly ArgumentProblem[] =>
  ports.flatMap(({ port: first, endPort }, index) => {
    if (endPort === undefined) return [];
    if (first === undefined) return [{ path: [...at, index, 'endPort'], message: 'stands without `port`' }];
    return endPort < first ? [{ path: [...at, index, 'endPort'], message: `is less than port ${first}` }] : [];
  });
