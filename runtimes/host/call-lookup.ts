import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';

/** All addresses of a name. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly family?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Addresses of this machine, and those at which clouds tell a machine its credentials. */
const OF_THIS_MACHINE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const)
  OF_THIS_MACHINE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
] as const)
  OF_THIS_MACHINE.addSubnet(network, prefix, 'ipv6');

/**
 * Looks up the names of calls. A host that is allowed by its name must not lead to this machine: whoever owns the name decides where it
 * leads, and was trusted with no more than the call. Addresses that are allowed as such are not looked up at all.
 */
export function callLookup(resolve: Resolve = lookup as Resolve): LookupFunction {
  return (hostname, options, callback) => {
    const { family } = options;
    const wanted = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : 0;
    resolve(hostname, { all: true, family: wanted }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) return callback(error, '');
      if (first === undefined) return callback(new Error(`${hostname} has no address`), '');
      const inside = isLocalName(hostname) ? undefined : addresses.find(({ address }) => isOfThisMachine(address));
      if (inside !== undefined) {
        return callback(new Error(`${hostname} leads to ${inside.address}, which only this machine reaches`), '');
      }
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Meant for this machine by its name (RFC 6761 6.3). */
const isLocalName = (hostname: string): boolean => hostname === 'localhost' || hostname.endsWith('.localhost');

const isOfThisMachine = (address: string): boolean => OF_THIS_MACHINE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
