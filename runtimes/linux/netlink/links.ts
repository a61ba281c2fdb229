import type { LinkRow } from '../../../engine/step/effects/show.ts';
import { type Answer, FLAGS, MessageWriter, namespaceOf, type Request, RTM, readAttributes, register, textOf } from './message.ts';
import { isLinkName, readMac, readNumber, readOptions } from './words.ts';

/*
 * Lines of `ip link` as messages, and answers as the rows that iproute2 shows. What is undefined here is left to iproute2. Linux:
 * linux/if_link.h, linux/if.h.
 */

const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  queueLength: 13,
  operState: 16,
  info: 18,
  alias: 20,
  namespace: 28,
  extendedMask: 29,
  otherNamespace: 37,
  permanentAddress: 54,
  parentDevice: 56,
} as const;
const INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const VETH_PEER = 1;
const BRIDGE_VLAN_FILTERING = 7;
const PORT = { hairpin: 4, isolated: 33 } as const;
/** Counters are not of interest. */
const SKIP_STATISTICS = 8;

const IFF = { up: 0x1, running: 0x40, promiscuous: 0x100 } as const;
/** In the order in which iproute2 shows them. */
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [0x8, 'LOOPBACK'],
  [0x2, 'BROADCAST'],
  [0x10, 'POINTOPOINT'],
  [0x1000, 'MULTICAST'],
  [0x80, 'NOARP'],
  [0x200, 'ALLMULTI'],
  [0x100, 'PROMISC'],
  [0x400, 'MASTER'],
  [0x800, 'SLAVE'],
  [0x1, 'UP'],
  [0x10000, 'LOWER_UP'],
  [0x20000, 'DORMANT'],
];
/** RFC 2863. */
const OPER_STATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];
/** Types of hardware whose addresses are MAC addresses: Ethernet and loopback. */
const HAS_MAC = [1, 772];
/** Types of links of which nothing else is shown that anybody reads. */
const KNOWN_KINDS = [undefined, 'veth', 'bridge', 'dummy', 'ifb'];

/** Namespaces that are open, by their paths. */
export type Places = ReadonlyMap<string, number>;

/** Asks for a link by name, and keeps its index. */
export function askLink(name: string, keep: number): Request {
  return header(RTM.getLink, FLAGS.question, 0).name(IFLA.name, name).number(IFLA.extendedMask, SKIP_STATISTICS).request(keep);
}

export const askLinkByIndex = (index: number): Request =>
  header(RTM.getLink, FLAGS.request, index).number(IFLA.extendedMask, SKIP_STATISTICS).request();

/** Asks for all links, or for those of a type. */
export function askLinks(kind?: string): Request {
  const message = header(RTM.getLink, FLAGS.dump, 0).number(IFLA.extendedMask, SKIP_STATISTICS);
  if (kind !== undefined) message.attribute(IFLA.info, () => message.text(INFO.kind, kind));
  return message.request();
}

/** `link add`, `link set` and `link del`, from the second word on. */
export function encodeLink([verb, ...words]: readonly string[], places: Places): readonly Request[] | undefined {
  switch (verb) {
    case 'add':
      return add(words, places);
    case 'set':
      return set(words, places);
    case 'del':
      return words.length === 2 && words[0] === 'dev' && isLinkName(words[1])
        ? [askLink(words[1], 0), header(RTM.delLink, FLAGS.request, register(0)).request()]
        : undefined;
    default:
      return undefined;
  }
}

/** `ifinfomsg`. */
function header(
  type: number,
  flags: number,
  index: number | ReturnType<typeof register>,
  change: readonly [mask: number, flags: number] = [0, 0],
) {
  return new MessageWriter(type, flags).u8(0, 0).u16(0).u32(index).u32(change[1]).u32(change[0]);
}

const END = ['mtu', 'address', 'txqueuelen', 'netns'];

function add(words: readonly string[], places: Places): readonly Request[] | undefined {
  const type = words.indexOf('type');
  const kind = words[type + 1];
  const rest = words.slice(type + 2);
  const options = readOptions(words.slice(0, type), ['name', ...END]);
  if (type === -1 || kind === undefined || options === undefined || !isLinkName(options.get('name'))) return undefined;
  const ends = [writeEnd(options, places)];
  let data: ((message: MessageWriter) => void) | undefined;
  if (kind === 'veth') {
    const peer = rest[0] === 'peer' ? readOptions(rest.slice(1), ['name', ...END]) : undefined;
    if (peer === undefined || !isLinkName(peer.get('name'))) return undefined;
    const end = writeEnd(peer, places);
    ends.push(end);
    data = (message) => message.attribute(VETH_PEER, () => end?.(message.u8(...new Array<number>(16).fill(0))));
  } else if (kind === 'bridge') {
    const own = readOptions(rest, ['vlan_filtering']);
    const filtering = own?.get('vlan_filtering');
    if (own === undefined || (filtering !== undefined && filtering !== '1' && filtering !== '0')) return undefined;
    if (filtering !== undefined) data = (message) => message.attribute(BRIDGE_VLAN_FILTERING, () => message.u8(Number(filtering)));
  } else if (!(kind === 'dummy' || kind === 'ifb') || rest.length > 0) return undefined;
  if (ends.includes(undefined)) return undefined;
  const message = header(RTM.newLink, FLAGS.request | FLAGS.create | FLAGS.exclusive, 0);
  ends[0]!(message);
  message.attribute(IFLA.info, () => {
    message.text(INFO.kind, kind);
    if (data !== undefined) message.attribute(INFO.data, () => data(message));
  });
  return [message.request()];
}

/** What both ends of a cable, and all links, can be made with. */
function writeEnd(options: ReadonlyMap<string, string>, places: Places): ((message: MessageWriter) => void) | undefined {
  const [name, mac, mtu, queue, netns] = ['name', 'address', 'mtu', 'txqueuelen', 'netns'].map((key) => options.get(key));
  const bytes = mac === undefined ? undefined : readMac(mac);
  const place = netns === undefined ? undefined : places.get(netns);
  const [size, length] = [mtu, queue].map((text) => (text === undefined ? undefined : readNumber(text)));
  const isKnown =
    (mac === undefined) === (bytes === undefined) &&
    (netns === undefined) === (place === undefined) &&
    (mtu === undefined) === (size === undefined) &&
    (queue === undefined) === (length === undefined) &&
    (name === undefined || isLinkName(name));
  if (!isKnown) return undefined;
  return (message) => {
    if (name !== undefined) message.name(IFLA.name, name);
    if (size !== undefined) message.number(IFLA.mtu, size);
    if (bytes !== undefined) message.attribute(IFLA.address, () => message.raw(bytes));
    if (length !== undefined) message.number(IFLA.queueLength, length);
    if (place !== undefined) message.number(IFLA.namespace, namespaceOf(place));
  };
}

function set([dev, link, ...words]: readonly string[], places: Places): readonly Request[] | undefined {
  if (dev !== 'dev' || !isLinkName(link)) return undefined;
  if (words[0] === 'type') return words[1] === 'bridge_slave' ? setPort(link, words.slice(2)) : undefined;
  const options = readOptions(words, ['alias', 'master', 'name', 'promisc', ...END], ['up', 'down', 'nomaster']);
  const end = options && writeEnd(options, places);
  const [alias, master, promiscuous] = ['alias', 'master', 'promisc'].map((key) => options?.get(key));
  if (options === undefined || end === undefined || !(master === undefined || isLinkName(master))) return undefined;
  if ((options.has('up') && options.has('down')) || (options.has('nomaster') && master !== undefined)) return undefined;
  if (!(promiscuous === undefined || promiscuous === 'on' || promiscuous === 'off')) return undefined;
  const mask = (options.has('up') || options.has('down') ? IFF.up : 0) | (promiscuous === undefined ? 0 : IFF.promiscuous);
  const flags = (options.has('up') ? IFF.up : 0) | (promiscuous === 'on' ? IFF.promiscuous : 0);
  const message = header(RTM.newLink, FLAGS.request, register(0), [mask, flags]);
  end(message);
  if (alias !== undefined) message.text(IFLA.alias, alias);
  if (master !== undefined) message.number(IFLA.master, register(1));
  if (options.has('nomaster')) message.number(IFLA.master, 0);
  return [askLink(link, 0), ...(master === undefined ? [] : [askLink(master, 1)]), message.request()];
}

function setPort(link: string, words: readonly string[]): readonly Request[] | undefined {
  const options = readOptions(words, ['hairpin', 'isolated']);
  if (options === undefined || [...options.values()].some((value) => value !== 'on' && value !== 'off')) return undefined;
  const message = header(RTM.newLink, FLAGS.request, register(0));
  message.attribute(IFLA.info, () => {
    message.text(INFO.slaveKind, 'bridge');
    message.attribute(INFO.slaveData, () => {
      for (const [key, value] of options) {
        message.attribute(PORT[key as keyof typeof PORT], () => message.u8(value === 'on' ? 1 : 0));
      }
    });
  });
  return [askLink(link, 0), message.request()];
}

/** A link without its addresses. */
export interface LinkFound {
  readonly row: Omit<LinkRow, 'addr_info' | 'master'>;
  /** Index of the link that it is a part of. */
  readonly master: number | undefined;
}

/** A link; undefined where iproute2 would show more than is known here. */
export function decodeLink(body: Buffer): LinkFound | undefined {
  const attributes = readAttributes(body.subarray(16));
  const number = (type: number): number | undefined => attributes.get(type)?.readUInt32LE(0);
  const text = (type: number): string | undefined => (attributes.has(type) ? textOf(attributes.get(type)) : undefined);
  const info = readAttributes(attributes.get(IFLA.info) ?? Buffer.alloc(0));
  const kind = info.has(INFO.kind) ? textOf(info.get(INFO.kind)) : undefined;
  const slaveKind = info.has(INFO.slaveKind) ? textOf(info.get(INFO.slaveKind)) : undefined;
  if (!HAS_MAC.includes(body.readUInt16LE(2)) || !KNOWN_KINDS.includes(kind) || !(slaveKind === undefined || slaveKind === 'bridge')) {
    return undefined;
  }
  const flags = body.readUInt32LE(8);
  const [link, queue, alias, parent] = [number(IFLA.link), number(IFLA.queueLength), text(IFLA.alias), text(IFLA.parentDevice)];
  const [address, permanent] = [mac(attributes.get(IFLA.address)), mac(attributes.get(IFLA.permanentAddress))];
  const state = attributes.get(IFLA.operState)?.[0];
  const master = number(IFLA.master);
  const slave = readAttributes(info.get(INFO.slaveData) ?? Buffer.alloc(0));
  const filtering = readAttributes(info.get(INFO.data) ?? Buffer.alloc(0)).get(BRIDGE_VLAN_FILTERING)?.[0];
  return {
    master: master === 0 ? undefined : master,
    row: {
      ifindex: body.readInt32LE(4),
      ifname: text(IFLA.name) ?? '',
      ...(link && attributes.has(IFLA.otherNamespace) && { link_index: link }),
      flags: [
        ...((flags & (IFF.up | IFF.running)) === IFF.up ? ['NO-CARRIER'] : []),
        ...FLAG_NAMES.flatMap(([bit, name]) => ((flags & bit) === 0 ? [] : [name])),
      ],
      mtu: number(IFLA.mtu) ?? 0,
      ...(queue && { txqlen: queue }),
      ...(state !== undefined && { operstate: OPER_STATES[state] ?? String(state) }),
      ...(address !== undefined && { address }),
      ...(permanent !== undefined && permanent !== address && { permaddr: permanent }),
      ...(alias !== undefined && { ifalias: alias }),
      ...(parent !== undefined && { parentdev: parent }),
      ...((kind !== undefined || slaveKind !== undefined) && {
        linkinfo: {
          ...(kind !== undefined && { info_kind: kind }),
          ...(filtering !== undefined && kind === 'bridge' && { info_data: { vlan_filtering: filtering } }),
          ...(slaveKind !== undefined && {
            info_slave_kind: slaveKind,
            info_slave_data: { hairpin: slave.get(PORT.hairpin)?.[0] === 1, isolated: slave.get(PORT.isolated)?.[0] === 1 },
          }),
        },
      }),
    },
  };
}

/** Type of a link: `veth`; undefined for a physical one. */
export function linkKind(body: Buffer): string | undefined {
  const info = readAttributes(body.subarray(16)).get(IFLA.info);
  const kind = info && readAttributes(info).get(INFO.kind);
  return kind && textOf(kind);
}

const mac = (bytes: Buffer | undefined): string | undefined =>
  bytes?.length === 6 ? (bytes.toString('hex').match(/../g) ?? []).join(':') : undefined;

/** Names of links by index. */
export const linkNames = ({ messages }: Answer): ReadonlyMap<number, string> =>
  new Map(
    messages
      .filter(({ type }) => type === RTM.newLink)
      .map(({ body }) => [body.readInt32LE(4), textOf(readAttributes(body.subarray(16)).get(IFLA.name))]),
  );
