import { boolean, defaulted, type Infer, integer, list, map, object, oneOf, optional, string, union } from '../../text/shape.ts';
import { MAX_LINK_NAME } from './link-name.ts';

/*
 * Shapes that several operations of the network group have in common. Whether a text is an address or a name that Linux takes is said by
 * `validate`, as a reader of the message wants more than a pattern.
 */

export const linkName = (doc: string) => string({ doc, maxLength: MAX_LINK_NAME });
export const cidrs = (doc: string) => list(string({ maxLength: 64 }), { doc, maxItems: 256 });
export const mtu = () => optional(integer({ doc: 'Bytes of a packet; 0 leaves it to the kernel.', minimum: 0, maximum: 65_535 }));
export const mac = (doc: string) => optional(string({ doc, maxLength: 17 }));
export const sysctls = (doc: string) => map(string({ maxLength: 256 }), { doc, key: { kind: 'string', maxLength: 256 } });

/** A route, in the words of iproute2; `dst`, `gw` and `priority` of CNI results say the same, so that such routes fit as they are. */
export const route = object({
  to: optional(string({ doc: 'Network or address it leads to: `10.0.0.0/8`, `default`.', maxLength: 64 })),
  dst: optional(string({ doc: 'As `to`, in the word of CNI.', maxLength: 64 })),
  via: optional(string({ doc: 'Address of the gateway; empty or absent where the network is on the link itself.', maxLength: 64 })),
  gw: optional(string({ doc: 'As `via`, in the word of CNI.', maxLength: 64 })),
  dev: optional(linkName('Interface; by default the one that the route is listed with.')),
  src: optional(string({ doc: 'Source address that is preferred.', maxLength: 64 })),
  metric: optional(integer({ doc: 'The lower, the sooner it is taken.', minimum: 0, maximum: 2 ** 32 - 1 })),
  priority: optional(integer({ doc: 'As `metric`, in the word of CNI.', minimum: 0, maximum: 2 ** 32 - 1 })),
  table: optional(integer({ doc: 'Number of the routing table; by default the main one.', minimum: 0, maximum: 2 ** 32 - 1 })),
  scope: optional(
    union(oneOf('global', 'site', 'link', 'host', 'nowhere'), integer({ doc: 'As a number, as CNI gives it.', minimum: 0, maximum: 255 })),
  ),
  onlink: optional(boolean({ doc: 'The gateway is reached through the link though no address of it says so.' })),
  mtu: optional(integer({ doc: 'Bytes of a packet on this route.', minimum: 0, maximum: 65_535 })),
  advmss: optional(integer({ doc: 'Bytes of a TCP segment that is advertised.', minimum: 0, maximum: 65_535 })),
  type: optional(oneOf('unicast', 'local', 'blackhole', 'unreachable', 'prohibit', 'throw')),
});
export type Route = Infer<typeof route>;

export const routes = (doc: string) => list(route, { doc, maxItems: 1024 });

/** What every interface of a container may be given. */
export const interfaceFields = {
  name: linkName('Name of the interface in the container, usually `${request.ifName}`.'),
  mtu: mtu(),
  mac: mac('MAC address; by default one that follows from the owner.'),
  addresses: defaulted(cidrs('Addresses of the interface, `10.1.0.5/16`; without a prefix length it is the address alone.'), []),
  routes: defaulted(routes('Routes in the container that go through the interface.'), []),
  gateways: defaulted(
    cidrs(
      'Gateways of routes that name none, and have no scope or type either: the first of the family of the route. Prefix lengths are ignored.',
    ),
    [],
  ),
  prefixRoutes: defaulted(
    boolean({ doc: 'Whether the kernel makes a route to the network of each address. False for links between two ends.' }),
    true,
  ),
  sysctls: defaulted(sysctls('Keys of the kernel below `net`, as `net.ipv4.conf.IFNAME.arp_filter`; IFNAME stands for the interface.'), {}),
  up: defaulted(boolean({ doc: 'Whether the interface is set up.' }), true),
  disableIPv6: defaulted(boolean({ doc: 'Switches IPv6 off on the interface.' }), false),
  enableDad: defaulted(
    boolean({ doc: 'Looks for other holders of the IPv6 addresses before they are used, and waits up to five seconds for it.' }),
    false,
  ),
};
const interfaceShape = object(interfaceFields);
export type InterfaceArguments = Infer<typeof interfaceShape>;

/** Of links that stand on another: where that one is. */
export const linkInContainer = defaulted(boolean({ doc: 'Whether `master` is an interface of the container.' }), false);
