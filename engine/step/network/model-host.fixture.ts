import { formatIpPrefix, maskPrefix, parseIpOrCidr } from '../../object/ip-address.ts';
import type { Json, JsonObject } from '../../object/json.ts';
import { type Effect, EffectError, type EffectHandler, type FailureCode, type Netns } from '../effect.ts';
import { wordAfter } from '../effects/iproute.ts';
import { generatedMac } from './link-name.ts';

/*
 * A host of paper: links, addresses, routes, rules, neighbours, kernel parameters and sets of nft, as far as operations of the network group
 * speak of them, in the words of iproute2. It can be killed between any two commands.
 */

/** What a killed process would not live to see. */
export class Killed extends Error {}

interface ModelLink {
  readonly index: number;
  name: string;
  readonly kind: string | undefined;
  mac: string;
  mtu: number;
  alias?: string;
  master?: string;
  netns: string;
  up: boolean;
  promisc: boolean;
  allmulti: boolean;
  txqlen: number;
  readonly data: JsonObject;
  peer?: ModelLink;
  hairpin: boolean;
  isolated: boolean;
  vlans: string[];
  addresses: string[];
  readonly sysctls: Map<string, string>;
}

interface ModelRoute {
  readonly netns: string;
  readonly to: string;
  readonly dev?: string;
  readonly words: string;
}

const HOST = 'host';
const MACS = { physical: '52:54:00:00:00:01', other: '52:54:00:00:00:02' };

export class ModelHost implements EffectHandler {
  readonly #links: ModelLink[] = [];
  /** Devices of namespaces that are gone. */
  readonly #returning: { readonly link: ModelLink; after: number }[] = [];
  #routes: ModelRoute[] = [];
  #rules: string[] = [];
  #neighbours: string[] = [];
  readonly #sysctls = new Map<string, string>();
  readonly #sets = new Map<string, Map<string, string>>();
  readonly files = new Map<string, string>();
  memory: Json | undefined;
  /** Commands that may still be performed. */
  patience = Number.POSITIVE_INFINITY;
  readonly log: string[] = [];
  #nextIndex = 1;

  /** A host with `eth0`, whose default route goes through it, and these namespaces. */
  constructor(...namespaces: readonly string[]) {
    for (const netns of [HOST, ...namespaces]) this.#addLink({ name: 'lo', kind: undefined, netns, mac: '00:00:00:00:00:00' });
    Object.assign(this.#addLink({ name: 'eth0', kind: undefined, netns: HOST, mac: MACS.physical }), {
      up: true,
      addresses: ['192.0.2.7/24'],
    });
    this.#routes.push({ netns: HOST, to: '0.0.0.0/0', dev: 'eth0', words: 'via 192.0.2.1 dev eth0' });
  }

  /** Puts a link there that is nobody's. */
  addForeign(
    name: string,
    options: { readonly kind?: string; readonly netns?: string; readonly up?: boolean; readonly addresses?: string[] } = {},
  ): void {
    const link = this.#addLink({ name, kind: options.kind, netns: options.netns ?? HOST, mac: MACS.other });
    Object.assign(link, { up: options.up ?? false, addresses: [...(options.addresses ?? [])] });
  }

  /** Gives a link of the host another owner. */
  tag(name: string, alias: string): void {
    this.#find(HOST, name).alias = alias;
  }

  removeLinkOf(netns: string, name: string): void {
    this.#removeLink(this.#find(netns, name));
  }

  /** Rows of the links of a namespace. */
  links(netns: string): readonly JsonObject[] {
    return this.#links.filter((link) => link.netns === netns).map((link) => linkRow(link));
  }

  addForeignRoute(to: string, words: string): void {
    this.#routes.push({ netns: HOST, to, words });
  }

  addForeignRule(rule: string): void {
    this.#rules.push(rule);
  }

  /** `slow`: physical devices come back after so many pauses. */
  removeNamespace(path: string, { slow = 0 }: { readonly slow?: number } = {}): void {
    for (const link of this.#links.filter(({ netns }) => netns === path)) {
      if (link.kind !== undefined) this.#removeLink(link);
      else if (link.name !== 'lo') this.#returning.push({ link, after: slow });
      else this.#links.splice(this.#links.indexOf(link), 1);
    }
    this.#bringBack();
    this.#routes = this.#routes.filter(({ netns }) => netns !== path);
    this.#rules = this.#rules.filter((rule) => !rule.startsWith(`${path} `));
    for (const key of this.#sysctls.keys()) if (key.startsWith(`${path} `)) this.#sysctls.delete(key);
  }

  /** As the kernel does when it ends a namespace: net/core/dev.c default_device_exit_net. */
  #bringBack(): void {
    for (const each of this.#returning.splice(0)) {
      if (each.after-- > 0) {
        this.#returning.push(each);
        continue;
      }
      const { link } = each;
      const isTaken = this.#links.some(({ netns, name }) => netns === HOST && name === link.name);
      Object.assign(link, { netns: HOST, up: false, addresses: [], ...(isTaken && { name: `dev${link.index}` }) });
      link.sysctls.clear();
    }
  }

  /** Everything that an operation may have changed. */
  state(): unknown {
    return {
      links: this.#links
        .map(({ index: _, peer, sysctls, ...link }) => ({
          ...link,
          addresses: link.addresses.toSorted(),
          peer: peer?.name,
          sysctls: changed(sysctls),
        }))
        .toSorted((a, b) => (`${a.netns} ${a.name}` < `${b.netns} ${b.name}` ? -1 : 1)),
      routes: this.#routes.map((route) => JSON.stringify(route)).toSorted(),
      rules: this.#rules.toSorted(),
      neighbours: this.#neighbours.toSorted(),
      sysctls: changed(this.#sysctls),
      sets: [...this.#sets].flatMap(([set, elements]) => [...elements.keys()].map((key) => `${set}: ${key}`)).toSorted(),
    };
  }

  async perform(effect: Effect): Promise<unknown> {
    switch (effect.kind) {
      case 'iproute':
        for (const { words, tolerate } of effect.commands) {
          this.#spend(`${effect.netns === undefined ? '' : '[container] '}${effect.program} ${words.join(' ')}`);
          try {
            this.#change(effect.program, effect.netns, words, effect.family);
          } catch (error) {
            if (!(error instanceof EffectError && tolerate?.includes(error.code))) throw error;
          }
        }
        return undefined;
      case 'show':
        this.log.push(`${effect.netns === undefined ? '' : '[container] '}? ${effect.program} ${effect.words.join(' ')}`);
        return this.#show(effect.program, effect.netns ?? HOST, effect.words, effect.family);
      case 'sysctl-read':
        return this.#sysctl(effect.netns ?? HOST, effect.key)?.value;
      case 'sysctl-write': {
        this.#spend(`${effect.netns === undefined ? '' : '[container] '}${effect.key} = ${effect.value}`);
        const found = this.#sysctl(effect.netns ?? HOST, effect.key);
        if (found === undefined) {
          if (effect.tolerate?.includes('missing')) return undefined;
          throw new EffectError('missing', 'No such file or directory', `write ${effect.key}`);
        }
        found.write(effect.value);
        return undefined;
      }
      case 'remember':
        this.#spend('remember');
        this.memory = effect.value;
        return undefined;
      case 'nft':
        this.#spend('nft');
        this.#nft(effect.script, effect.tolerate ?? []);
        return undefined;
      case 'nft-list':
        return [...this.#sets].map(([name, elements]) => ({
          set: {
            name,
            elem: [...elements].map(([key, comment]) => ({
              elem: { val: key.includes(' . ') ? { concat: key.split(' . ') } : key, comment },
            })),
          },
        }));
      case 'stat':
        return this.files.has(effect.path) ? { type: 'directory', size: 0, mode: 0o755, identity: effect.path } : undefined;
      case 'read-file':
        return effect.path === '/proc/self/stat' ? '4711 (node) S 1' : this.files.get(effect.path);
      case 'pause':
        this.#bringBack();
        return undefined;
      case 'all': {
        const settled = [];
        for (const each of effect.effects) {
          settled.push(...(await Promise.allSettled([this.perform(each)])));
          if (effect.order === 'after-first' && settled[0]!.status === 'rejected') break;
        }
        return settled.map((each) => {
          if (each.status === 'rejected') throw each.reason;
          return each.value;
        });
      }
      default:
        throw new Error(`the host of paper knows no effect ${effect.kind}`);
    }
  }

  #spend(what: string): void {
    if (this.patience-- <= 0) throw new Killed(what);
    this.log.push(what);
  }

  #addLink(link: Pick<ModelLink, 'name' | 'kind' | 'netns' | 'mac'> & Partial<ModelLink>): ModelLink {
    const made: ModelLink = {
      index: this.#nextIndex++,
      mtu: 1500,
      up: false,
      promisc: false,
      allmulti: false,
      txqlen: 1000,
      data: {},
      hairpin: false,
      isolated: false,
      vlans: [],
      addresses: [],
      sysctls: new Map(),
      ...link,
    };
    this.#links.push(made);
    return made;
  }

  #removeLink(link: ModelLink): void {
    for (const gone of [link, ...(link.peer === undefined ? [] : [link.peer])]) {
      this.#links.splice(this.#links.indexOf(gone), 1);
      this.#routes = this.#routes.filter((route) => !(route.netns === gone.netns && route.dev === gone.name));
      this.#neighbours = this.#neighbours.filter((each) => !each.startsWith(`${gone.name} `));
    }
  }

  #find(netns: string, name: string | undefined): ModelLink {
    const found = this.#links.find((link) => link.netns === netns && link.name === name);
    if (found === undefined) throw new EffectError('missing', `Cannot find device "${name}"`, `ip link ${name}`);
    return found;
  }

  #refuse(code: FailureCode, words: readonly string[]): never {
    throw new EffectError(code, code === 'exists' ? 'RTNETLINK answers: File exists' : code, `ip ${words.join(' ')}`);
  }

  #change(program: string, netns: Netns, words: readonly string[], family: number | undefined): void {
    const where = netns ?? HOST;
    const [object, verb] = words;
    if (program === 'bridge') this.#changeBridge(where, words);
    else if (object === 'link' && verb === 'add') this.#makeLink(where, words);
    else if (object === 'link' && verb === 'set') this.#setLink(where, words);
    else if (object === 'link' && verb === 'del') this.#removeLink(this.#find(where, wordAfter(words, 'dev')));
    else if (object === 'tuntap') this.#makeTap(where, words);
    else if (object === 'address') this.#changeList(this.#find(where, wordAfter(words, 'dev')).addresses, verb, words[2]!, words);
    else if (object === 'route') this.#changeRoute(where, words);
    else if (object === 'rule') this.#changeList(this.#rules, verb, `${where} ${family ?? 4} ${words.slice(2).join(' ')}`, words);
    else if (object === 'neighbour') this.#changeNeighbour(words);
    else throw new Error(`the host of paper does not understand: ip ${words.join(' ')}`);
  }

  #makeTap(where: string, words: readonly string[]): void {
    const name = wordAfter(words, 'dev')!;
    if (this.#links.some((link) => link.netns === where && link.name === name)) this.#refuse('busy', words);
    this.#addLink({ name, kind: 'tun', netns: where, mac: '06:00:00:00:00:01' });
  }

  #changeNeighbour(words: readonly string[]): void {
    const key = `${wordAfter(words, 'dev')} ${words[2]} `;
    this.#neighbours = this.#neighbours.filter((each) => !each.startsWith(key));
    if (words[1] === 'replace') this.#neighbours.push(`${key}${wordAfter(words, 'lladdr')} permanent`);
  }

  #changeList(list: string[], verb: string | undefined, item: string, words: readonly string[]): void {
    const at = list.indexOf(item);
    if (verb === 'del') {
      if (at < 0) this.#refuse('missing', words);
      list.splice(at, 1);
    } else if (at >= 0) this.#refuse('exists', words);
    else list.push(item);
  }

  #makeLink(where: string, words: readonly string[]): void {
    const type = words.indexOf('type');
    const [before, behind] = [words.slice(2, type), words.slice(type)];
    const kind = behind[1]!;
    const name = wordAfter(before, 'name')!;
    const netns = wordAfter(before, 'netns') ?? where;
    const peerName = wordAfter(behind, 'name');
    const peerNetns = wordAfter(behind, 'netns') ?? where;
    const isTaken = (at: string, text: string | undefined): boolean => this.#links.some((link) => link.netns === at && link.name === text);
    if (isTaken(where, name) || isTaken(netns, name) || isTaken(peerNetns, peerName)) this.#refuse('exists', words);
    const master = wordAfter(before, 'link');
    if (master !== undefined) this.#find(where, master);
    const link = this.#addLink({
      name,
      kind,
      netns,
      mac: wordAfter(before, 'address') ?? generatedMac(name),
      mtu: Number(wordAfter(before, 'mtu') ?? 1500),
      data: dataOf(kind, behind),
    });
    if (kind !== 'veth') return;
    link.peer = this.#addLink({
      name: peerName!,
      kind,
      netns: peerNetns,
      mac: wordAfter(behind, 'address') ?? '52:54:00:00:02:00',
      mtu: Number(wordAfter(behind, 'mtu') ?? 1500),
    });
    link.peer.peer = link;
  }

  #setLink(where: string, words: readonly string[]): void {
    const link = this.#find(where, wordAfter(words, 'dev'));
    const target = wordAfter(words, 'netns');
    const place = target === undefined ? where : target === '/proc/4711/ns/net' ? HOST : target;
    const name = wordAfter(words, 'name') ?? link.name;
    if ((name !== link.name || place !== where) && this.#links.some((each) => each.netns === place && each.name === name))
      this.#refuse('exists', words);
    const master = wordAfter(words, 'master');
    if (master !== undefined && this.#find(where, master).kind !== 'bridge') this.#refuse('invalid', words);
    if (place !== where) {
      Object.assign(link, { netns: place, up: false, addresses: [] });
      link.sysctls.clear();
    }
    this.#routes = this.#routes.filter((route) => link.name === name || route.dev !== link.name || route.netns !== where);
    link.name = name;
    if (master !== undefined) Object.assign(link, { master, vlans: ['1 pvid untagged'] });
    if (words.includes('up')) link.up = true;
    if (words.includes('down')) link.up = false;
    const alias = wordAfter(words, 'alias');
    if (alias === '') delete link.alias;
    else if (alias !== undefined) link.alias = alias;
    link.mac = wordAfter(words, 'address') ?? link.mac;
    link.mtu = Number(wordAfter(words, 'mtu') ?? link.mtu);
    link.txqlen = Number(wordAfter(words, 'txqueuelen') ?? link.txqlen);
    link.promisc = (wordAfter(words, 'promisc') ?? (link.promisc ? 'on' : 'off')) === 'on';
    link.allmulti = (wordAfter(words, 'allmulticast') ?? (link.allmulti ? 'on' : 'off')) === 'on';
    if (words.includes('bridge_slave') && link.master === undefined) this.#refuse('unsupported', words);
    if (words.includes('hairpin')) link.hairpin = true;
    if (words.includes('isolated')) link.isolated = true;
    if (words.includes('vlan_filtering')) Object.assign(link.data, { vlan_filtering: 1 });
  }

  #changeRoute(where: string, words: readonly string[]): void {
    const verb = words[1];
    const hasType = ['blackhole', 'unreachable', 'prohibit', 'throw', 'local'].includes(words[2]!);
    const to = words[hasType ? 3 : 2]!;
    const dev = wordAfter(words, 'dev');
    if (dev !== undefined) {
      const link = this.#find(where, dev);
      if (!link.up && verb !== 'del') this.#refuse('invalid', words);
    }
    const route: ModelRoute = {
      netns: where,
      to,
      ...(dev !== undefined && { dev }),
      words: words
        .slice(2)
        .filter((word) => word !== to)
        .join(' '),
    };
    const same = this.#routes.findIndex((each) => each.netns === where && each.to === to && each.words === route.words);
    const toSame = this.#routes.findIndex((each) => each.netns === where && each.to === to);
    if (verb === 'del') {
      if (same < 0) this.#refuse('missing', words);
      this.#routes.splice(same, 1);
    } else if (same >= 0 && verb !== 'replace') this.#refuse('exists', words);
    else if (toSame >= 0 && verb === 'add') this.#refuse('exists', words);
    else if (toSame >= 0 && verb === 'replace') this.#routes[toSame] = route;
    else this.#routes.push(route);
  }

  #changeBridge(where: string, words: readonly string[]): void {
    const [object, verb] = words;
    const dev = wordAfter(words, 'dev');
    const link = this.#find(where, dev);
    if (object === 'fdb') {
      const key = `${dev} ${words[2]} ${wordAfter(words, 'dst')}`;
      const at = this.#neighbours.indexOf(key);
      if (verb === 'del' && at < 0) this.#refuse('missing', words);
      if (at >= 0) this.#neighbours.splice(at, 1);
      if (verb === 'replace') this.#neighbours.push(key);
      return;
    }
    const id = wordAfter(words, 'vid')!;
    link.vlans = link.vlans.filter((each) => each.split(' ')[0] !== id);
    if (verb === 'add') link.vlans.push([id, ...(words.includes('pvid') ? ['pvid', 'untagged'] : [])].join(' '));
  }

  #show(program: string, where: string, words: readonly string[], family: number | undefined): readonly unknown[] {
    const dev = wordAfter(words, 'dev');
    if (program === 'bridge') {
      const link = this.#find(where, dev);
      return words[0] === 'vlan'
        ? [{ ifname: dev, vlans: link.vlans.map((each) => ({ vlan: Number(each.split(' ')[0]) })) }]
        : this.#neighbours
            .filter((each) => each.split(' ').length === 3)
            .map((each) => ({ mac: each.split(' ')[1], dst: each.split(' ')[2] }));
    }
    if (words[0] === 'address') {
      const kind = wordAfter(words, 'type');
      return this.#links
        .filter((link) => link.netns === where && (dev === undefined || link.name === dev) && (kind === undefined || link.kind === kind))
        .map((link) => linkRow(link));
    }
    if (words[0] === 'route') {
      const exact = wordAfter(words, 'exact');
      const six = wordAfter(words, 'root')?.includes(':') ?? exact?.includes(':');
      return this.#routes
        .filter((route) => route.netns === where && route.to.includes(':') === six && (exact === undefined || route.to === exact))
        .filter((route) => dev === undefined || route.dev === dev)
        .map(routeRow);
    }
    return this.#rules.filter((rule) => rule.startsWith(`${where} ${family ?? 4} `)).map((rule) => ruleRow(rule.split(' ')));
  }

  #sysctl(where: string, key: string): { readonly value: string; write(value: string): void } | undefined {
    const [, ip, conf, name, ...rest] = key.split('/');
    if (conf === 'conf' && name !== 'all' && name !== 'default') {
      const link = this.#links.find((each) => each.netns === where && each.name === name);
      const leaf = `${ip}/${rest.join('/')}`;
      return link && { value: link.sysctls.get(leaf) ?? '0', write: (value) => void link.sysctls.set(leaf, value) };
    }
    const at = `${where} ${key}`;
    return { value: this.#sysctls.get(at) ?? '0', write: (value) => void this.#sysctls.set(at, value) };
  }

  #nft(script: string, tolerate: readonly FailureCode[]): void {
    const lines = script.split('\n');
    const makes = (line: string): boolean => line.startsWith('add set ');
    const missing = lines.some((line) => {
      const [, set, key] = /^delete element \S+ \S+ (\S+) \{ (.*) \}$/.exec(line) ?? [];
      if (set !== undefined) return !this.#sets.get(set)?.has(key!.replaceAll('"', ''));
      return line.startsWith('flush chain') && this.#sets.size === 0 && !lines.some(makes);
    });
    if (missing) {
      if (tolerate.includes('missing')) return;
      throw new EffectError('missing', 'Error: No such file or directory', 'nft');
    }
    for (const line of lines) {
      if (makes(line)) {
        const name = line.split(' ')[4]!;
        if (!this.#sets.has(name)) this.#sets.set(name, new Map());
      }
      const [, verb, set, key, comment] = /^(add|delete) element \S+ \S+ (\S+) \{ (.*?)(?: comment "(.*)")? \}$/.exec(line) ?? [];
      if (verb === 'add') this.#sets.get(set!)?.set(key!.replaceAll('"', ''), comment ?? '');
      if (verb === 'delete') this.#sets.get(set!)?.delete(key!.replaceAll('"', ''));
    }
  }
}

/** A value that was never written is 0; one that was written back is as before. */
const changed = (values: ReadonlyMap<string, string>): readonly string[] =>
  [...values]
    .filter(([, value]) => value !== '0')
    .map(([key, value]) => `${key} = ${value}`)
    .toSorted();

function dataOf(kind: string, words: readonly string[]): JsonObject {
  if (kind === 'bridge') return { vlan_filtering: words.includes('vlan_filtering') ? 1 : 0 };
  return kind === 'vxlan'
    ? { id: Number(wordAfter(words, 'id')), port: Number(wordAfter(words, 'dstport')), local: wordAfter(words, 'local') ?? null }
    : {};
}

function linkRow(link: ModelLink): JsonObject {
  return {
    ifindex: link.index,
    ifname: link.name,
    flags: [link.up && 'UP', link.promisc && 'PROMISC', link.allmulti && 'ALLMULTI'].filter((flag) => flag !== false),
    mtu: link.mtu,
    txqlen: link.txqlen,
    operstate: link.up ? 'UP' : 'DOWN',
    address: link.mac,
    ...(link.master !== undefined && { master: link.master }),
    ...(link.alias !== undefined && { ifalias: link.alias }),
    ...(link.peer !== undefined && { link_index: link.peer.index }),
    linkinfo: {
      ...(link.kind !== undefined && { info_kind: link.kind, info_data: link.data }),
      ...(link.master !== undefined && { info_slave_kind: 'bridge', info_slave_data: { hairpin: link.hairpin, isolated: link.isolated } }),
    },
    addr_info: link.addresses.map((text) => {
      const [local, bits] = text.split('/') as [string, string];
      return { family: local.includes(':') ? 'inet6' : 'inet', local, prefixlen: Number(bits), scope: 'global' };
    }),
  };
}

function routeRow({ to, words }: ModelRoute): JsonObject {
  const list = words.split(' ');
  const prefix = parseIpOrCidr(to)!;
  const isHost = prefix.bits === prefix.address.bytes.length * 8;
  const text = formatIpPrefix(maskPrefix(prefix));
  const via = wordAfter(list, 'via');
  const dev = wordAfter(list, 'dev');
  const protocol = wordAfter(list, 'proto');
  const metric = wordAfter(list, 'metric');
  return {
    dst: prefix.bits === 0 ? 'default' : isHost ? (text.split('/')[0] as string) : text,
    ...(via !== undefined && { gateway: via }),
    ...(dev !== undefined && { dev }),
    ...(protocol !== undefined && { protocol }),
    ...(metric !== undefined && { metric: Number(metric) }),
    ...(!['via', 'dev', 'proto'].includes(list[0]!) && { type: list[0]! }),
    table: wordAfter(list, 'table') ?? 'main',
  };
}

function markOf(text: string | undefined): JsonObject {
  const [fwmark, fwmask] = text?.split('/') ?? [];
  return { ...(fwmark !== undefined && { fwmark }), ...(fwmask !== undefined && { fwmask }) };
}

function ruleRow(words: readonly string[]): JsonObject {
  const network = (word: string, address: string, bits: string): JsonObject => {
    const text = wordAfter(words, word);
    if (text === undefined) return address === 'src' ? { src: 'all' } : {};
    const [local, length] = text.split('/') as [string, string];
    return { [address]: local, [bits]: Number(length) };
  };
  const optional = (word: string): JsonObject => {
    const value = wordAfter(words, word);
    return value === undefined ? {} : { [word]: value };
  };
  return {
    priority: Number(wordAfter(words, 'priority')),
    table: wordAfter(words, 'table') ?? '',
    protocol: wordAfter(words, 'protocol') ?? '',
    ...network('from', 'src', 'srclen'),
    ...network('to', 'dst', 'dstlen'),
    ...optional('iif'),
    ...optional('oif'),
    ...markOf(wordAfter(words, 'fwmark')),
  };
}
