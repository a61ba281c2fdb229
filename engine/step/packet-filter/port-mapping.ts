import { boolean, defaulted, type Infer, integer, list, object, oneOf, optional, string } from '../../text/shape.ts';
import type { ArgumentProblem } from '../operation.ts';
import { type HostAddress, readAll, readHostAddress } from './address-list.ts';
import { backendField } from './backend.ts';

const condition = string({ maxLength: 200, pattern: /^[A-Za-z0-9 .:/_{},!=<>&|@()*+-]*$/, patternName: 'words of nftables or iptables' });

const port = object({
  hostPort: integer({ minimum: 1, maximum: 65535 }),
  containerPort: integer({ minimum: 1, maximum: 65535 }),
  protocol: defaulted(oneOf('tcp', 'udp', 'sctp', 'TCP', 'UDP', 'SCTP'), 'tcp'),
  hostIP: optional(string({ doc: 'Address of the host; all of one family with 0.0.0.0 or ::, all without.' })),
});

export const portMapShape = object({
  ports: list(port, { maxItems: 1024, doc: 'As the capability portMappings gives them.' }),
  to: list(string(), {
    maxItems: 64,
    doc: 'Addresses of the pod, best with the prefix length of their network; the first of each family is used.',
  }),
  snat: defaulted(
    boolean({
      doc: "Gives connections from the host's localhost and from the pod's own network the address of the host, without which their answers would not find back.",
    }),
    true,
  ),
  masqueradeAll: defaulted(
    boolean({ doc: 'Gives all connections the address of the host, for pods whose answers would take another way.' }),
    false,
  ),
  markBit: defaulted(
    integer({ minimum: 0, maximum: 31, doc: 'Bit of the mark of packets by which the host knows which connections get its address.' }),
    13,
  ),
  conditionsV4: defaulted(list(condition, { maxItems: 64, doc: 'What else an IPv4 connection must be, in the words of the backend.' }), []),
  conditionsV6: defaulted(list(condition, { maxItems: 64, doc: 'What else an IPv6 connection must be, in the words of the backend.' }), []),
  backend: backendField,
});
export type PortMapArguments = Infer<typeof portMapShape>;

/** One port of the host that leads to one address of a pod. */
export interface Mapping {
  readonly target: HostAddress;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostPort: number;
  readonly containerPort: number;
  /** Undefined for all addresses of the host. */
  readonly hostAddress: string | undefined;
}

/** Each port for each family that the pod has, and that the port's host address is of. */
export function mappingsOf({ ports, to }: PortMapArguments): readonly Mapping[] {
  const addresses = readAll(to, readHostAddress);
  const targets = ([4, 6] as const).flatMap((family) => addresses.find((address) => address.family === family) ?? []);
  const found = ports.flatMap(({ hostPort, containerPort, protocol, hostIP }) => {
    const host = hostIP === undefined || hostIP === '' ? undefined : readHostAddress(hostIP);
    return targets
      .filter(({ family }) => host === undefined || host.family === family)
      .map((target): Mapping => {
        const hostAddress = host === undefined || UNSPECIFIED.has(host.address) ? undefined : host.address;
        return { target, protocol: protocol.toLowerCase() as Mapping['protocol'], hostPort, containerPort, hostAddress };
      });
  });
  // Of two mappings of the same port the first one counts.
  return [
    ...new Map(found.toReversed().map((mapping) => [`${mapping.target.family} ${portText(mapping)}`, mapping])).values(),
  ].toReversed();
}

const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** What is wrong with a port beyond its shape, and with conditions in the words of the other backend. */
export function portProblems({ ports, conditionsV4, conditionsV6, backend }: PortMapArguments): readonly ArgumentProblem[] {
  const addresses = ports.flatMap(({ hostIP }, index) =>
    hostIP === undefined || hostIP === '' || (readHostAddress(hostIP) !== undefined && !hostIP.includes('/'))
      ? []
      : [
          {
            path: ['ports', index, 'hostIP'],
            message: `${JSON.stringify(hostIP)} is not an address`,
            hint: 'such as 192.0.2.7, or 0.0.0.0 for all',
          },
        ],
  );
  const conditions = Object.entries({ conditionsV4, conditionsV6 }).flatMap(([field, words]) => {
    const of = backendOf(words);
    return of === undefined || of === (backend === 'auto' ? 'nftables' : backend)
      ? []
      : [{ path: [field], message: `these are words of ${of}`, hint: `say backend: ${of}` }];
  });
  const commands = Object.entries({ conditionsV4, conditionsV6 }).flatMap(([field, conditions]) => {
    const wrong = conditions.flatMap((condition) => condition.split(' ')).find((word) => backend === 'iptables' && isCommandOption(word));
    return wrong === undefined ? [] : [{ path: [field], message: `${JSON.stringify(wrong)} is no condition of a packet` }];
  });
  return [...addresses, ...conditions, ...commands];
}

/** Long options that tell iptables what to do, among them a program to run (`--modprobe`). They may be abbreviated. */
const COMMANDS =
  'append check delete delete-chain exact flush goto help insert jump line-numbers list list-rules modprobe new-chain numeric policy rename-chain replace set-counters table verbose version wait wait-interval zero'.split(
    ' ',
  );

/** Of one letter are only those that ask something of a packet; a letter without an argument might be followed by others in the same word. */
function isCommandOption(word: string): boolean {
  const [name] = word.split('=') as [string];
  if (name.startsWith('--')) return COMMANDS.some((command) => command.startsWith(name.slice(2)));
  return /^-[^-]/.test(word) && !/^-([spdiom]|f$)/.test(word);
}

/** Official plugin: plugins/meta/portmap/main.go detectBackendOfConditions. */
const backendOf = ([first]: readonly string[]): 'nftables' | 'iptables' | undefined =>
  first === undefined || first === '' ? undefined : /^[-!]/.test(first) ? 'iptables' : 'nftables';

export const endpoint = ({ target, containerPort }: Mapping): string =>
  target.family === 4 ? `${target.address}:${containerPort}` : `[${target.address}]:${containerPort}`;

export const portText = ({ hostPort, protocol, hostAddress }: Mapping): string =>
  `port ${hostPort}/${protocol}${hostAddress === undefined ? '' : ` of ${hostAddress}`}`;

/** Bit `n` of a packet's mark, as a number for nft and iptables. */
export const markOf = (bit: number): string => `0x${(2 ** bit).toString(16)}`;
