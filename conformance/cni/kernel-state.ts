import type { NetworkNode } from './node.ts';

/** What a program printed of a network, by what was asked; JSON where the program can. */
export interface RawNetwork {
  readonly links: readonly RawLink[];
  readonly addresses: readonly RawLink[];
  readonly routes: readonly RawRow[];
  readonly rules: readonly RawRow[];
  readonly ports: readonly RawRow[];
  readonly vlans: readonly RawRow[];
  readonly qdiscs: readonly RawRow[];
  /** By device and parent, `tc filter show` as text: its JSON of u32 is broken. */
  readonly filters: readonly string[];
  readonly nft: readonly RawRow[];
  readonly iptables: string;
  readonly sysctls: readonly string[];
}

export type RawRow = Readonly<Record<string, unknown>>;
export interface RawLink extends RawRow {
  readonly ifname: string;
}

/** Everything of a node that plugins may change: its network, its pods' and files of folders. */
export interface KernelState {
  readonly node: RawNetwork;
  readonly pods: Readonly<Record<string, RawNetwork>>;
  /** Path and text of files below the folders that were asked for. */
  readonly files: Readonly<Record<string, string>>;
}

/** Keys that network plugins are known to write. Those with an interface in their name are listed for each that is there. */
const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv6/conf/all/forwarding',
  'net/ipv4/conf/*/route_localnet',
  'net/ipv4/conf/*/proxy_arp',
  'net/ipv4/conf/*/arp_notify',
  'net/ipv4/conf/*/rp_filter',
  'net/ipv4/conf/*/forwarding',
  'net/ipv6/conf/*/accept_ra',
  'net/ipv6/conf/*/accept_dad',
  'net/ipv6/conf/*/disable_ipv6',
  'net/ipv6/conf/*/keep_addr_on_down',
  'net/ipv6/conf/*/arp_notify',
  'net/ipv6/conf/*/enhanced_dad',
  'net/bridge/bridge-nf-call-iptables',
  'net/core/somaxconn',
];

/** One entry of the namespace for everything. A part that fails is empty, as on a kernel without it. */
const SCRIPT = `
part() { printf '\\n@@ %s\\n' "$1"; shift; "$@" 2>/dev/null; }
part links ip -json -details link show
part addresses ip -json -details address show
part routes4 ip -json -4 route show table all
part routes6 ip -json -6 route show table all
part rules4 ip -json -4 rule show
part rules6 ip -json -6 rule show
part ports bridge -json -details link show
part vlans bridge -json vlan show
part qdiscs tc -json qdisc show
printf '\\n@@ filters\\n'
ls /sys/class/net | while read -r dev; do
  for parent in root ingress; do
    tc filter show dev "$dev" "$parent" 2>/dev/null | sed "s/^/$dev $parent: /"
  done
done
part nft nft -json list ruleset
printf '\\n@@ iptables\\n'
for save in iptables-legacy-save ip6tables-legacy-save iptables-nft-save ip6tables-nft-save; do $save 2>/dev/null; done
printf '\\n@@ sysctls\\n'
cd /proc/sys && for file in ${SYSCTLS.join(' ')}; do
  [ -r "$file" ] && printf '%s=%s\\n' "$file" "$(cat "$file")"
done
true
`;

async function readNetwork(node: NetworkNode, pod?: string): Promise<RawNetwork> {
  // A namespace shows its own links below /sys only where /sys is mounted in it.
  const wrapped = pod === undefined ? SCRIPT : `mount -t sysfs sysfs /sys\n${SCRIPT}`;
  const enter = pod === undefined ? [] : ['unshare', '--mount', '--propagation', 'private', '--'];
  const [command, ...args] = [...enter, 'sh', '-s'];
  const text = await node.expect(command!, args, { stdin: wrapped, ...(pod === undefined ? {} : { pod }) });
  const parts = new Map<string, string>();
  for (const part of text.split('\n@@ ').slice(1)) {
    const end = part.indexOf('\n');
    parts.set(part.slice(0, end), part.slice(end + 1).trim());
  }
  const rows = (name: string): RawRow[] => JSON.parse(parts.get(name) || '[]') as RawRow[];
  const lines = (name: string): string[] => (parts.get(name) ?? '').split('\n').filter((line) => line.trim() !== '');
  const nft = JSON.parse(parts.get('nft') || '{"nftables":[]}') as { readonly nftables: readonly RawRow[] };
  return {
    links: rows('links') as RawLink[],
    addresses: rows('addresses') as RawLink[],
    routes: [...rows('routes4'), ...rows('routes6')],
    rules: [...rows('rules4'), ...rows('rules6')],
    ports: rows('ports'),
    vlans: rows('vlans'),
    qdiscs: rows('qdiscs'),
    filters: lines('filters'),
    nft: nft.nftables,
    iptables: parts.get('iptables') ?? '',
    sysctls: lines('sysctls'),
  };
}

/** Reads the state of a node and of these pods; files below `folders` (paths in the node) with their text. */
export async function readKernelState(
  node: NetworkNode,
  options: { readonly pods?: readonly string[]; readonly folders?: readonly string[] } = {},
): Promise<KernelState> {
  const { pods = [], folders = [] } = options;
  const [own, files, ...podNetworks] = await Promise.all([
    readNetwork(node),
    readFiles(node, folders),
    ...pods.map((pod) => readNetwork(node, pod)),
  ]);
  return { node: own, files, pods: Object.fromEntries(pods.map((pod, index) => [pod, podNetworks[index]!])) };
}

async function readFiles(node: NetworkNode, folders: readonly string[]): Promise<Record<string, string>> {
  if (folders.length === 0) return {};
  const script =
    'for folder; do [ -d "$folder" ] && find "$folder" -type f; done | sort | while read -r file; do printf "\\n@@ %s\\n" "$file"; head -c 4194304 "$file" | tr -d "\\000"; done; true';
  const text = await node.expect('sh', ['-c', script, 'sh', ...folders]);
  const files: Record<string, string> = {};
  for (const part of text.split('\n@@ ').slice(1)) {
    const end = part.indexOf('\n');
    files[part.slice(0, end)] = part.slice(end + 1);
  }
  return files;
}
