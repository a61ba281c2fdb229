import { formatIpPrefix, type IpPrefix, isPlainIpv4, isV4, parseIp, parseIpOrCidr } from '../../object/ip-address.ts';
import type { Command } from '../effect.ts';
import { command, tolerating } from '../effects/iproute.ts';
import type { AddressInfo, LinkRow } from '../effects/show.ts';
import type { ArgumentProblem } from '../operation.ts';

/** @throws Error for what {@link addressProblems} says no to. */
export function readAddress(text: string): IpPrefix {
  const prefix = parseIpOrCidr(text);
  if (prefix === undefined) throw new Error(`${JSON.stringify(text)} is not an address`);
  return prefix;
}

export const addressProblems = (addresses: readonly string[], path: readonly (string | number)[]): ArgumentProblem[] =>
  addresses.flatMap((text, index) =>
    !isPlainIpv4(text) && parseIpOrCidr(text) === undefined
      ? [{ path: [...path, index], message: `${JSON.stringify(text)} is not an IP address with a prefix length, like 10.1.0.5/16` }]
      : [],
  );

/** What is wrong with an address without a prefix length in the arguments. */
export const ipProblems = <K extends string>(args: { readonly [key in K]: string }, key: K): ArgumentProblem[] =>
  parseIp(args[key]) === undefined ? [{ path: [key], message: `${JSON.stringify(args[key])} is not an IP address` }] : [];

/**
 * Puts an address on a link; one that is there already is fine. `noDad`: an IPv6 address is usable at once, without looking whether
 * somebody else on the link has it.
 */
export const addAddress = (
  dev: string,
  address: IpPrefix,
  options: { readonly noDad?: boolean; readonly noPrefixRoute?: boolean } = {},
): Command =>
  tolerating(
    command(
      ...['address', 'add', formatIpPrefix(address)],
      // As the libraries of CNI plugins do: with a broadcast address where the network has room for one (RFC 3021).
      ...(isV4(address.address) && address.bits < 31 ? ['broadcast', '+'] : []),
      ...['dev', dev],
      options.noDad && !isV4(address.address) && 'nodad',
      options.noPrefixRoute && 'noprefixroute',
    ),
    'exists',
  );

export const deleteAddress = (dev: string, address: IpPrefix): Command =>
  tolerating(command('address', 'del', formatIpPrefix(address), 'dev', dev), 'missing', 'invalid');

/** Those of the addresses that a link has not. */
export const lackingAddresses = ({ addr_info }: Pick<LinkRow, 'addr_info'>, addresses: readonly string[]): IpPrefix[] =>
  addresses.map(readAddress).filter((address) => !addr_info.some((info) => isAddress(info, address)));

/** The same, in words. */
export const missingAddresses = (row: LinkRow, addresses: readonly string[]): string[] =>
  lackingAddresses(row, addresses).map((address) => `interface ${row.ifname} has no address ${formatIpPrefix(address)}`);

/** Whether a row of `ip address show` is this address. */
export const isAddress = (row: AddressInfo, address: IpPrefix): boolean => `${row.local}/${row.prefixlen}` === formatIpPrefix(address);
