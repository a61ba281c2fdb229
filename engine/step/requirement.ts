/** Something a host must have. A probe says whether it has, before anything is changed. */
export type Requirement =
  /** A program on the path of the service: `nft`, `tc`. */
  | { readonly kind: 'program'; readonly name: string }
  /** A type of link that the kernel can make: `ipvlan`; `option`: also with this switched on, as `vlan_filtering` of a bridge. */
  | { readonly kind: 'link-type'; readonly name: string; readonly option?: string }
  /** A family of tables that nft and the kernel can make, `inet`, `bridge`. */
  | { readonly kind: 'nft-family'; readonly name: string }
  /** A queueing discipline, as `tbf`. */
  | { readonly kind: 'qdisc'; readonly name: string }
  /** A key of the kernel's, as `net/bridge/bridge-nf-call-iptables`, which is there only with what it belongs to. */
  | { readonly kind: 'sysctl'; readonly name: string }
  /** One of them is enough; the first that is there is used. */
  | { readonly kind: 'any-of'; readonly requirements: readonly Requirement[] };

/** What a host has not. */
export interface MissingRequirement {
  readonly requirement: Requirement;
  /** What is missing and what would help: `the kernel has no ipvlan links (CONFIG_IPVLAN, module ipvlan)`. */
  readonly message: string;
}
