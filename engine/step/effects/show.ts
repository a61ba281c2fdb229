import type { JsonObject } from '../../object/json.ts';
import { EffectError, type IprouteProgram, type Netns, type Steps } from '../effect.ts';

/** A link with its addresses, as `ip -details -json address show` tells it, as far as it is read here. */
export interface LinkRow {
  readonly ifindex: number;
  readonly ifname: string;
  /** Of a veth whose other end is in another namespace: the number it has there. */
  readonly link_index?: number;
  /** `UP`, `LOWER_UP`, `PROMISC`... */
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly txqlen?: number;
  /** Name of the bridge it is a port of. */
  readonly master?: string;
  /** `UP`, `DOWN`, `LOWERLAYERDOWN`, `UNKNOWN`... */
  readonly operstate?: string;
  /** MAC; of a tunnel, an IP address. */
  readonly address?: string;
  /** MAC that the hardware came with, where it has another one now. */
  readonly permaddr?: string;
  readonly ifalias?: string;
  /** Name of the device on its bus. */
  readonly parentdev?: string;
  readonly linkinfo?: {
    /** Type of link: `veth`; absent for a physical one. */
    readonly info_kind?: string;
    readonly info_data?: JsonObject;
    readonly info_slave_kind?: string;
    readonly info_slave_data?: JsonObject;
  };
  readonly addr_info: readonly AddressInfo[];
}

export interface AddressInfo {
  readonly family: 'inet' | 'inet6';
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
  readonly tentative?: boolean;
  readonly dadfailed?: boolean;
}

/** Where a route leads by. */
export interface NextHop {
  readonly gateway?: string;
  /** In place of `gateway` where that is of the other family. */
  readonly via?: { readonly host: string };
  readonly dev?: string;
}

/** A route. What is the default of its family is left out by iproute2: `table` is there only when it is not `main`. */
export interface RouteRow extends NextHop {
  /** `default`, an address, or a CIDR. */
  readonly dst: string;
  readonly type?: string;
  readonly table?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly metric?: number;
  readonly prefsrc?: string;
  /** In place of one, where there are several. */
  readonly nexthops?: readonly NextHop[];
}

/** A rule of policy routing. */
export interface RuleRow {
  readonly priority: number;
  readonly src?: string;
  readonly srclen?: number;
  readonly dst?: string;
  readonly dstlen?: number;
  readonly iif?: string;
  readonly oif?: string;
  /** Hexadecimal: `0x1`. */
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly table?: string;
  readonly protocol?: string;
}

/** Rows of any `show`. The caller says what they look like. */
export function* show<Row>(program: IprouteProgram, netns: Netns, ...words: readonly (string | number)[]): Steps<readonly Row[]> {
  return (yield { kind: 'show', program, netns, words: words.map(String) }) as readonly Row[];
}

/**
 * All links of a namespace, or those that more words of `ip address show` narrow it to. Never `ip link show`: who reads a batch shows no
 * addresses any more after it (iproute2 6.1: ip/ipaddress.c, `do_link`).
 */
export const links = (netns: Netns, ...words: readonly string[]): Steps<readonly LinkRow[]> =>
  show('ip', netns, 'address', 'show', ...words);

/** The link of this name, or undefined. */
export function* link(netns: Netns, name: string): Steps<LinkRow | undefined> {
  return (yield* links(netns, 'dev', name))[0];
}

/** The same. @throws EffectError `missing`, with this message, where there is none. */
export function* existingLink(netns: Netns, name: string, message: string): Steps<LinkRow> {
  const row = yield* link(netns, name);
  if (row === undefined) throw new EffectError('missing', message, `ip link show dev ${name}`);
  return row;
}

/** All routes of one family in all tables, or those that more words of `ip route show` narrow it to: `dev`, `proto`. */
export const routes = (netns: Netns, family: 4 | 6, ...words: readonly (string | number)[]): Steps<readonly RouteRow[]> =>
  // A named table would be IPv4's; `root` makes it the routes of its family.
  show('ip', netns, 'route', 'show', 'table', 'all', ...words, 'root', family === 4 ? '0.0.0.0/0' : '::/0');

/** Routes to exactly this network, in all tables. */
export const routesTo = (netns: Netns, cidr: string): Steps<readonly RouteRow[]> =>
  show('ip', netns, 'route', 'show', 'table', 'all', 'exact', cidr);

/** Rules of one family. */
export function* rules(netns: Netns, family: 4 | 6): Steps<readonly RuleRow[]> {
  const words = ['rule', 'show'];
  return (yield { kind: 'show', program: 'ip', netns, words, ...(family === 6 && { family }) }) as readonly RuleRow[];
}
