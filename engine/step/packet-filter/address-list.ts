import {
  addressBits,
  equalAddresses,
  familyOf,
  formatIpAddress,
  formatIpPrefix,
  type IpFamily,
  isPlainIpv4,
  maskPrefix,
  networkAddress,
  parseIpOrCidr,
} from '../../object/ip-address.ts';

/** An address as steps are given it: `10.1.0.5`, or `10.1.0.5/16` with the prefix length of its network. */
export interface HostAddress {
  readonly family: IpFamily;
  /** Without a prefix length, in canonical form. */
  readonly address: string;
  /** Its network; the address alone where no prefix length is given. */
  readonly network: string;
}

/** Reads an address; undefined for what is none. */
export function readHostAddress(text: string): HostAddress | undefined {
  const prefix = parseIpOrCidr(text);
  if (prefix === undefined) return undefined;
  const address = formatIpAddress(prefix.address);
  const network = prefix.bits === addressBits(prefix.address) ? address : formatIpPrefix(maskPrefix(prefix));
  return { family: familyOf(prefix.address), address, network };
}

/** A network or a single address, as it is written in a command: `10.1.0.0/16`, `10.1.0.5`. */
export interface Network {
  readonly family: IpFamily;
  readonly text: string;
  /** Whether it is a single address. */
  readonly single: boolean;
}

/** Reads a network: `10.1.0.0/16`, `10.1.0.5`, `10.1.0.5/32`. Bits beyond the prefix are dropped. */
export function readNetwork(text: string): Network | undefined {
  if (isPlainIpv4(text)) return { family: 4, text, single: true };
  const host = readHostAddress(text);
  return host === undefined ? undefined : { family: host.family, text: host.network, single: host.network === host.address };
}

/**
 * Reads what traffic comes from: `10.1.0.5/16`, an address that is written with the prefix length of its network, is that address;
 * `10.1.0.0/16`, which no host in it can have, is the network.
 */
export function readSource(text: string): Network | undefined {
  const prefix = parseIpOrCidr(text);
  if (prefix === undefined) return undefined;
  const family = familyOf(prefix.address);
  return equalAddresses(prefix.address, networkAddress(prefix)) && prefix.bits < addressBits(prefix.address)
    ? { family, text: formatIpPrefix(prefix), single: false }
    : { family, text: formatIpAddress(prefix.address), single: true };
}

/** Reads texts that were checked before; others are left out. */
export const readAll = <T>(texts: readonly string[], read: (text: string) => T | undefined): readonly T[] =>
  texts.flatMap((text) => read(text) ?? []);
