import { type Command, type Effect, EffectError, type Steps } from './effect.ts';
import { wordAfter } from './effects/iproute.ts';
import type { LinkRow } from './effects/show.ts';

/** A link that was made in the imagination; as `ip` would show it. */
type ImaginedLink = { -readonly [Field in keyof LinkRow]: LinkRow[Field] };

/** Answers of effects of protocols: `addresses`, `plugin`. */
export type ImagineCustom = (effect: Effect & { readonly kind: 'custom' }) => unknown;

/** A link that was made before, by somebody else. */
export interface PresentLink {
  readonly name: string;
  readonly mac?: string;
  /** Its namespace; absent: the host's. */
  readonly sandbox?: string;
}

/**
 * A host that has nothing, or some links, for dry runs: whatever is asked for can be made, and links that were made are there to be seen.
 * Nothing is performed; {@link changes} has what would have been.
 */
export class ImaginedHost {
  /** Every effect that changes something, in order. */
  readonly changes: Effect[] = [];
  readonly #custom: ImagineCustom;
  /** Links by name, by namespace. */
  readonly #links = new Map<string, Map<string, ImaginedLink>>();
  #chains: ReadonlySet<string> = new Set();
  #index = 1;

  /** `present`: links that are there. One of a container that stands behind one of the host is its other end. */
  constructor(custom: ImagineCustom, present: readonly PresentLink[] = []) {
    this.#custom = custom;
    let before: ImaginedLink | undefined;
    for (const { name, mac, sandbox } of present) {
      const made = this.#make(sandbox, name, 'unknown', mac === undefined ? [] : ['address', mac]);
      if (sandbox === undefined) before = made;
      else if (before !== undefined) {
        join(before, made);
        before = undefined;
      }
    }
  }

  /** Runs an operation's steps. Throws what they throw. */
  run<T>(steps: Steps<T>): T {
    let next = steps.next();
    while (!next.done) {
      try {
        next = steps.next(this.answer(next.value));
      } catch (error) {
        if (!(error instanceof EffectError)) throw error;
        next = steps.throw(error);
      }
    }
    return next.value;
  }

  /** What such a host answers to one effect. Throws {@link EffectError}. */
  answer(effect: Effect): unknown {
    switch (effect.kind) {
      case 'show':
        return this.#show(effect.netns, effect.words);
      case 'nft-list':
        return [];
      case 'iptables-save':
        return '';
      case 'sysctl-read':
        // Keys of the kernel are there on any host, and most of them are off.
        return '0';
      case 'stat':
      case 'read-file':
      case 'remember':
      case 'pause':
        return undefined;
      case 'all':
        return effect.effects.map((each) => this.answer(each));
      default: {
        const answer = this.#change(effect);
        this.changes.push(effect);
        return answer;
      }
    }
  }

  #change(effect: Effect): unknown {
    switch (effect.kind) {
      case 'iproute':
        if (effect.program === 'ip') for (const line of effect.commands) this.#apply(effect.netns, line);
        return undefined;
      case 'nft':
        this.#applyNft(effect.script);
        return undefined;
      case 'run':
        return { exitCode: 0, stdout: '', stderr: '' };
      case 'http':
        return { status: 200, body: {} };
      case 'custom':
        return this.#custom(effect);
      default:
        return undefined;
    }
  }

  /** Chains that are flushed must be there: by that operations see whether what they stand on was made already. */
  #applyNft(script: string): void {
    const made = new Set(this.#chains);
    for (const line of script.split('\n')) {
      const [verb, object, family, table, chain] = line.trim().split(/\s+/);
      if (object !== 'chain') continue;
      const name = `${family} ${table} ${chain}`;
      if (verb === 'add' || verb === 'create') made.add(name);
      else if (!made.has(name)) throw new EffectError('missing', `there is no chain ${name}`, 'nft -f -');
    }
    this.#chains = made;
  }

  #linksOf(netns: string | undefined): Map<string, ImaginedLink> {
    const key = netns ?? '';
    let links = this.#links.get(key);
    if (links === undefined) {
      links = new Map();
      this.#links.set(key, links);
    }
    return links;
  }

  #show(netns: string | undefined, words: readonly string[]): readonly unknown[] {
    if (words[0] !== 'address' && words[0] !== 'link') return [];
    const links = [...this.#linksOf(netns).values()];
    const name = wordAfter(words, 'dev');
    const master = wordAfter(words, 'master');
    return links.filter((link) => (name === undefined || link.ifname === name) && (master === undefined || link.master === master));
  }

  #apply(netns: string | undefined, { words }: Command): void {
    const [object, verb] = words;
    const name = wordAfter(words, 'dev');
    if (object === 'link' && verb === 'add') this.#add(netns, words.slice(2));
    else if (object === 'link' && verb === 'set' && name !== undefined) this.#set(netns, name, words);
    else if (object === 'link' && (verb === 'del' || verb === 'delete') && name !== undefined) this.#linksOf(netns).delete(name);
    else if (object === 'address' && name !== undefined) {
      const link = this.#linksOf(netns).get(name);
      const [local, bits] = (words[2] ?? '').split('/');
      if (link === undefined || local === undefined) return;
      const family = local.includes(':') ? 'inet6' : 'inet';
      if (verb !== 'del') link.addr_info = [...link.addr_info, { family, local, prefixlen: Number(bits), scope: 'global' }];
    }
  }

  /** `link add [link PARENT] [name] NAME ... type TYPE ... [peer name NAME ... netns NETNS]`. */
  #add(netns: string | undefined, words: readonly string[]): void {
    const at = words.indexOf('peer');
    const own = at < 0 ? words : words.slice(0, at);
    const type = wordAfter(words, 'type') ?? '';
    const name = wordAfter(own, 'name') ?? own[0];
    const link = name === undefined ? undefined : this.#make(wordAfter(own, 'netns') ?? netns, name, type, own);
    if (at < 0) return;
    const peer = words.slice(at + 1);
    const peerName = wordAfter(peer, 'name');
    if (peerName === undefined) return;
    const other = this.#make(wordAfter(peer, 'netns') ?? netns, peerName, type, peer);
    if (link !== undefined) join(link, other);
  }

  #make(netns: string | undefined, name: string, type: string, words: readonly string[]): ImaginedLink {
    const ifindex = ++this.#index;
    const address = wordAfter(words, 'address') ?? `02:00:00:00:00:${ifindex.toString(16).padStart(2, '0')}`;
    const mtu = Number(wordAfter(words, 'mtu') ?? 1500);
    const link: ImaginedLink = { ifindex, ifname: name, flags: [], mtu, address, addr_info: [], linkinfo: { info_kind: type } };
    this.#linksOf(netns).set(name, link);
    return link;
  }

  #set(netns: string | undefined, name: string, words: readonly string[]): void {
    const links = this.#linksOf(netns);
    const link = links.get(name);
    if (link === undefined) return;
    const given = <T>(word: string, set: (value: string) => T): void => {
      const value = wordAfter(words, word);
      if (value !== undefined) set(value);
    };
    given('master', (master) => {
      link.master = master;
    });
    given('address', (address) => {
      link.address = address;
    });
    given('alias', (alias) => {
      link.ifalias = alias;
    });
    given('mtu', (mtu) => {
      link.mtu = Number(mtu);
    });
    if (words.includes('up')) Object.assign(link, { flags: ['UP', 'LOWER_UP'], operstate: 'UP' });
    given('name', (renamed) => {
      links.delete(name);
      link.ifname = renamed;
      links.set(renamed, link);
    });
    given('netns', (target) => {
      links.delete(link.ifname);
      this.#linksOf(target).set(link.ifname, link);
    });
  }
}

/** Makes two links the ends of a cable. */
function join(one: ImaginedLink, other: ImaginedLink): void {
  for (const [end, far] of [
    [one, other],
    [other, one],
  ] as const)
    Object.assign(end, { link_index: far.ifindex, linkinfo: { info_kind: 'veth' } });
}
