import { formatIpAddress, type IpAddress, isV4, lastAddress, parseCidr } from '../../../engine/object/ip-address.ts';
import type { AddressInfo } from '../../../engine/step/effects/show.ts';
import { askLink } from './links.ts';
import { FLAGS, MessageWriter, type Request, RTM, readAttributes, register } from './message.ts';
import { isLinkName, readOptions } from './words.ts';

/* Lines of `ip address` as messages, and answers as the rows that iproute2 shows. Linux: linux/if_addr.h. */

const IFA = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
const FLAG = { noDad: 0x2, dadFailed: 0x8, tentative: 0x40, noPrefixRoute: 0x200 } as const;
/** linux/rtnetlink.h: `RT_SCOPE_`. */
const SCOPES: ReadonlyMap<number, string> = new Map([
  [0, 'global'],
  [200, 'site'],
  [253, 'link'],
  [254, 'host'],
  [255, 'nowhere'],
]);
export const scopeName = (scope: number): string => SCOPES.get(scope) ?? String(scope);

/** linux/socket.h: `AF_INET`, `AF_INET6`. */
export const FAMILY = { inet: 2, inet6: 10 } as const;
export const familyNumber = (address: IpAddress): number => (isV4(address) ? FAMILY.inet : FAMILY.inet6);

/** The address that bytes of an attribute are. */
export const addressOf = (bytes: Buffer | undefined): IpAddress | undefined =>
  bytes?.length === 4 || bytes?.length === 16 ? { bytes, zone: '' } : undefined;

/** Asks for the addresses of the link whose index a register holds, or of all links. */
export const askAddresses = (of?: number): Request =>
  new MessageWriter(RTM.getAddress, FLAGS.dump)
    .u8(0, 0, 0, 0)
    .u32(of === undefined ? 0 : register(of))
    .request();

/** `address add` and `address del`, from the second word on. */
export function encodeAddress([verb, cidr, ...words]: readonly string[]): readonly Request[] | undefined {
  if (verb !== 'add' && verb !== 'del') return undefined;
  const options = readOptions(words, ['dev', 'broadcast'], ['nodad', 'noprefixroute']);
  const prefix = cidr === undefined ? undefined : parseCidr(cidr);
  const dev = options?.get('dev');
  if (options === undefined || prefix === undefined || !isLinkName(dev)) return undefined;
  const { address, bits } = prefix;
  const broadcast = options.get('broadcast');
  if (broadcast !== undefined && !(broadcast === '+' && isV4(address) && bits < 31)) return undefined;
  const isLoopback = isV4(address) && address.bytes[0] === 127;
  const flags = (options.has('nodad') ? FLAG.noDad : 0) | (options.has('noprefixroute') ? FLAG.noPrefixRoute : 0);
  const message =
    verb === 'add'
      ? new MessageWriter(RTM.newAddress, FLAGS.request | FLAGS.create | FLAGS.exclusive)
      : new MessageWriter(RTM.delAddress, FLAGS.request);
  message.u8(familyNumber(address), bits, flags & 0xff, isLoopback ? 254 : 0).u32(register(0));
  message.attribute(IFA.local, () => message.raw(address.bytes)).attribute(IFA.address, () => message.raw(address.bytes));
  if (broadcast !== undefined) message.attribute(IFA.broadcast, () => message.raw(lastAddress(prefix).bytes));
  if (flags > 0xff) message.number(IFA.flags, flags);
  return [askLink(dev, 0), message.request()];
}

/** An address and the index of its link. */
export function decodeAddress(body: Buffer): { readonly index: number; readonly info: AddressInfo } | undefined {
  const attributes = readAttributes(body.subarray(8));
  const address = addressOf(attributes.get(IFA.local) ?? attributes.get(IFA.address));
  if (address === undefined) return undefined;
  const flags = attributes.get(IFA.flags)?.readUInt32LE(0) ?? body[2]!;
  return {
    index: body.readUInt32LE(4),
    info: {
      family: isV4(address) ? 'inet' : 'inet6',
      local: formatIpAddress(address),
      prefixlen: body[1]!,
      scope: scopeName(body[3]!),
      ...((flags & FLAG.tentative) !== 0 && { tentative: true }),
      ...((flags & FLAG.dadFailed) !== 0 && { dadfailed: true }),
    },
  };
}
