import type { KernelState, RawLink, RawNetwork, RawRow } from './kernel-state.ts';
import { rulesetShape } from './ruleset-shape.ts';

/** Sides of a network's state that are compared each for itself. */
export const ASPECTS = ['links', 'addresses', 'routes', 'rules', 'ports', 'vlans', 'shaping', 'firewall', 'sysctls', 'files'] as const;
export type Aspect = (typeof ASPECTS)[number];

/** Lines of text by aspect, without what differs by chance: indexes, counters, timers, addresses and names that were drawn. */
export type NormalState = Readonly<Record<Aspect, readonly string[]>>;

export interface NormaliseOptions {
  /** Hardware addresses that were asked for, and so are to be seen as they are; in lower case. */
  readonly macs?: readonly string[];
  /**
   * What two programs with the same effect may do differently: names of tables and chains, tags, comments. For a comparison of two
   * programs; without it the state of one node before and after.
   */
  readonly effectOnly?: boolean;
  /** Turns a file into what matters of it; undefined leaves it out. */
  readonly file?: (path: string, text: string) => string | undefined;
}

/** Names for links and hardware addresses that mean the same in any run. */
interface Names {
  link(network: string, name: string): string;
  text(network: string, text: string): string;
}

/** Makes two states comparable. Pure. */
export function normaliseState(state: KernelState, options: NormaliseOptions = {}): NormalState {
  const networks: [string, RawNetwork][] = [['node', state.node], ...Object.entries(state.pods)];
  const kept = new Set(options.macs ?? []);
  const names = nameEverything(networks, kept);
  const lines: Record<Aspect, string[]> = {
    links: [],
    addresses: [],
    routes: [],
    rules: [],
    ports: [],
    vlans: [],
    shaping: [],
    firewall: [],
    sysctls: [],
    files: [],
  };
  for (const [network, raw] of networks) {
    const add = (aspect: Aspect, found: readonly string[]): void =>
      void lines[aspect].push(...found.map((line) => `${network}: ${names.text(network, line)}`));
    const own = (name: unknown): string => (typeof name === 'string' ? names.link(network, name) : '-');
    add(
      'links',
      sorted(
        raw.links.map(
          (link) =>
            `${own(link.ifname)} ${fields(withoutPorts(atRest(without(link, options.effectOnly ? idleOf(link) : [])), kept), LINK_NOISE)}`,
        ),
      ),
    );
    add(
      'addresses',
      sorted(
        raw.addresses.flatMap((link) =>
          ((link['addr_info'] ?? []) as readonly RawRow[]).map(
            (row) =>
              `${own(link.ifname)} ${row['local']}/${row['prefixlen']} ${fields(without(row, ['local', 'prefixlen', ...(options.effectOnly ? ADDRESS_WAYS : [])]), ADDRESS_NOISE)}`,
          ),
        ),
      ),
    );
    // A link's routes of the kernel's own say nothing that its addresses don't say.
    const routes = raw.routes.filter((row) => row['table'] !== 'local' && row['type'] !== 'multicast');
    add('routes', sorted(routes.map((row) => fields({ ...row, dev: own(row['dev']) }, ROUTE_NOISE))));
    add('rules', sorted(raw.rules.map((row) => fields(row, []))));
    add('ports', sorted(raw.ports.map((row) => `${own(row['ifname'])} ${fields(row, PORT_NOISE)}`)));
    add('vlans', sorted(raw.vlans.map((row) => `${own(row['ifname'])} ${fields(row, ['ifname'])}`)));
    add('shaping', sorted(raw.qdiscs.map((row) => `qdisc ${fields({ ...row, dev: own(row['dev']) }, QDISC_NOISE)}`)));
    add('shaping', raw.filters.map(filterText));
    add(
      'firewall',
      options.effectOnly ? rulesetShape(raw.nft) : raw.nft.filter((row) => !('metainfo' in row)).map((row) => fields(row, ['handle'])),
    );
    add('firewall', iptablesRules(raw.iptables, options.effectOnly === true));
    add('sysctls', sorted(raw.sysctls.map((line) => line.replace(/(?<=\/conf\/)[^/]+/, own))));
  }
  for (const [path, text] of Object.entries(state.files)) {
    const shown = options.file === undefined ? text : options.file(path, text);
    if (shown !== undefined) lines.files.push(`${path}: ${JSON.stringify(shown)}`);
  }
  return lines;
}

const LINK_NOISE = [
  ...['ifindex', 'ifname', 'link_index', 'link_netnsid', 'link', 'stats', 'stats64', 'group', 'linkmode', 'broadcast', 'permaddr'],
  ...['min_mtu', 'max_mtu', 'num_tx_queues', 'num_rx_queues', 'numtxqueues', 'numrxqueues', 'inet6_addr_gen_mode', 'carrier_changes'],
  ...['gso_max_size', 'gso_max_segs', 'tso_max_size', 'tso_max_segs', 'gro_max_size', 'gso_ipv4_max_size', 'gro_ipv4_max_size'],
  ...['root_id', 'bridge_id', 'root_port', 'root_path_cost', 'topology_change', 'topology_change_detected', 'vlan_stats_enabled'],
  ...['id', 'no', 'designated_port', 'designated_cost', 'designated_bridge', 'designated_root', 'topology_change_ack', 'config_pending'],
  ...['message_age_timer', 'forward_delay_timer', 'hold_timer', 'hello_timer', 'tcn_timer', 'topology_change_timer', 'gc_timer'],
  ...['fdb_n_learned'],
];
const ADDRESS_NOISE = ['valid_life_time', 'preferred_life_time', 'label', 'protocol'];
const ROUTE_NOISE = ['flags', 'pref'];
const PORT_NOISE = ['ifindex', 'ifname', 'link', 'state', 'flags'];
const QDISC_NOISE = ['refcnt', 'handle', 'backlog', 'qlen', 'drops'];
/** How an address came to be used, and to what routes: that it is used and the routes are compared. */
const ADDRESS_WAYS = ['nodad', 'noprefixroute'];

/** What of a link has no effect: its tag, and the length of a queue that nothing waits in. */
const idleOf = (link: RawLink): readonly string[] => (link['qdisc'] === 'noqueue' ? ['ifalias', 'txqlen'] : ['ifalias']);

function without(row: RawRow, keys: readonly string[]): RawRow {
  return Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));
}

/** A link without a carrier learns a moment later that it lacks it because the one below, or its other end, is down. */
function atRest(link: RawRow): RawRow {
  return link['operstate'] === 'LOWERLAYERDOWN' ? { ...link, operstate: 'DOWN' } : link;
}

/** A bridge has the least hardware address of its ports, and a carrier when one of them has, a moment after they have changed. */
function withoutPorts(link: RawRow, kept: ReadonlySet<string>): RawRow {
  if ((link['linkinfo'] as { readonly info_kind?: string } | undefined)?.info_kind !== 'bridge') return link;
  const flags = ((link['flags'] ?? []) as readonly string[]).filter((flag) => flag !== 'NO-CARRIER' && flag !== 'LOWER_UP');
  const address = kept.has(String(link['address'])) ? link['address'] : '<mac>';
  return { ...without(link, ['operstate']), flags, address };
}

function sorted(lines: readonly string[]): string[] {
  return [...lines].sort();
}

/** `key=value` of all that is left, keys in order, at any depth. */
function fields(row: RawRow, noise: readonly string[]): string {
  return Object.keys(row)
    .sort()
    .filter((key) => !noise.includes(key) && !isEmpty(row[key]))
    .map((key) => `${key}=${valueText(key, row[key], noise)}`)
    .join(' ');
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function valueText(key: string, value: unknown, noise: readonly string[]): string {
  if (key === 'flags' && Array.isArray(value)) return sorted(value as string[]).join(',');
  if (Array.isArray(value)) return `[${value.map((each) => valueText('', each, noise)).join(' ')}]`;
  if (typeof value === 'object' && value !== null) return `{${fields(value as RawRow, noise)}}`;
  return String(value);
}

function filterText(line: string): string {
  return line
    .replace(/\s+/g, ' ')
    .replace(/ (index|ref|bind|installed|used|firstused) \d+( sec)?/g, '')
    .trim();
}

/** Rules of `iptables-save` with their table; without comments and counters, and for a comparison without the names of chains. */
function iptablesRules(text: string, effectOnly: boolean): string[] {
  const rules: string[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    else if (line.startsWith('-A') || (!effectOnly && line.startsWith(':')))
      rules.push(`iptables ${table} ${line.replace(/ \[\d+:\d+\]$/, '')}`);
  }
  return rules;
}

const MAC = /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g;

function nameEverything(networks: readonly (readonly [string, RawNetwork])[], kept: ReadonlySet<string>): Names {
  const links = new Map<string, string>();
  const macs = new Map<string, string>();
  const key = (network: string, name: string): string => `${network} ${name}`;
  const node = networks[0]![1];
  const byIndex = new Map(node.links.map((link) => [link['ifindex'], link]));
  for (const [network, raw] of networks.slice(1)) {
    for (const link of raw.links) {
      const peer = kindOf(link) === 'veth' ? byIndex.get(link['link_index']) : undefined;
      if (peer !== undefined) links.set(key('node', peer.ifname), `<peer of ${network}/${link.ifname}>`);
    }
  }
  let drawn = 0;
  for (const link of node.links) {
    if (kindOf(link) === 'ifb') links.set(key('node', link.ifname), `<ifb ${++drawn}>`);
  }
  const linkName = (network: string, name: string): string => links.get(key(network, name)) ?? name;
  for (const [network, raw] of networks) {
    for (const link of raw.links) {
      const mac = link['address'];
      if (typeof mac !== 'string' || kept.has(mac) || mac === '00:00:00:00:00:00' || kindOf(link) === 'bridge') continue;
      macs.set(mac, macs.has(mac) ? '<mac>' : `<mac of ${network}/${linkName(network, link.ifname)}>`);
    }
  }
  const drawnNames = [...links].map(([where, name]) => [where.slice(where.indexOf(' ') + 1), name, where.startsWith('node ')] as const);
  return {
    link: linkName,
    text: (network, text) => {
      let named = text.replace(MAC, (mac) => macs.get(mac) ?? mac).replace(/fe80::[0-9a-f:]*[0-9a-f]/g, 'fe80::<mac>');
      if (network === 'node') for (const [name, shown, ofNode] of drawnNames) if (ofNode) named = named.replaceAll(name, shown);
      return named;
    },
  };
}

function kindOf(link: RawLink): string | undefined {
  return (link['linkinfo'] as { readonly info_kind?: string } | undefined)?.info_kind;
}

/** What is in one and not in the other, one line each; none where they are the same. */
export function differentLines(expected: readonly string[], found: readonly string[]): string[] {
  const count = (lines: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const [left, right] = [count(expected), count(found)];
  const differences: string[] = [];
  for (const [line, times] of left) for (let more = right.get(line) ?? 0; more < times; more++) differences.push(`- ${line}`);
  for (const [line, times] of right) for (let more = left.get(line) ?? 0; more < times; more++) differences.push(`+ ${line}`);
  return differences;
}

/** As {@link differentLines}, over all aspects; `- ` is what was expected and is missing, `+ ` what is there and should not. */
export function differentStates(expected: NormalState, found: NormalState): string[] {
  return ASPECTS.flatMap((aspect) => differentLines(expected[aspect], found[aspect]).map((line) => `${aspect} ${line}`));
}
