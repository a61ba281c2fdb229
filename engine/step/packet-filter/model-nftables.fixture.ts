import type { Json, JsonObject } from '../../object/json.ts';
import { EffectError, type FailureCode } from '../effect.ts';

interface ModelChain {
  rules: { readonly handle: number; readonly text: string }[];
  readonly base: boolean;
}

interface ModelTable {
  readonly chains: Map<string, ModelChain>;
  readonly maps: Map<string, Map<string, string>>;
  readonly sets: Map<string, Set<string>>;
}

type State = Map<string, ModelTable>;

/** nftables on paper: the commands that operations use, all or none, with what refers to what; and lists of it in the form of `nft -j`. */
export class ModelNftables {
  #tables: State = new Map();
  #handle = 0;

  /** @throws EffectError as nft would fail, and changes nothing. */
  apply(script: string): void {
    const before = this.#tables;
    this.#tables = structuredClone(before);
    try {
      for (const line of script.split('\n')) this.#command(line);
      this.#mustHold();
    } catch (error) {
      this.#tables = before;
      throw error;
    }
  }

  /** Everything that is in a table, as text to compare: maps, sets, and chains by their names. */
  print(table: string): string {
    const { chains, maps, sets } = this.#tables.get(table) ?? emptyTable();
    return [
      ...[...maps].flatMap(([name, elements]) => [...elements].map(([key, value]) => `${name} ${key} : ${value}`)),
      ...[...sets].flatMap(([name, elements]) => [...elements].map((element) => `${name} ${element}`)),
      ...[...chains]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, { rules }]) => [`chain ${name}`, ...rules.map(({ text }) => `  ${text}`)]),
    ].join('\n');
  }

  /** Rules of the chains whose names begin so, by the chain, without their comments. */
  rules(table: string, prefix: string): Readonly<Record<string, readonly string[]>> {
    const chains = [...(this.#tables.get(table)?.chains ?? [])].filter(([name]) => name.startsWith(prefix));
    return Object.fromEntries(chains.map(([name, { rules }]) => [name, rules.map(({ text }) => text.replaceAll(/ comment "[^"]*"/g, ''))]));
  }

  list(words: readonly string[]): readonly JsonObject[] {
    const [what, family, name, part] = words;
    if (what === 'tables') return [...this.#tables.keys()].map((table) => ({ table: { name: table.split(' ')[1]! } }));
    if (what === 'chains')
      return [...this.#tables].flatMap(([, { chains }]) => [...chains.keys()].map((chain) => ({ chain: { name: chain } })));
    const table = this.#tables.get(`${family} ${name}`);
    if (table === undefined) return [];
    const chainRows = (chain: string): JsonObject[] => [
      { chain: { name: chain } },
      ...table.chains
        .get(chain)!
        .rules.map(({ handle, text }) => ({ rule: { chain, handle, ...commentRow(text), expr: expressions(text) } })),
    ];
    const mapRow = (map: string): JsonObject => ({
      map: { name: map, elem: [...table.maps.get(map)!].map(([key, value]) => elementRow(key, value)) },
    });
    if (what === 'chain') return table.chains.has(part!) ? chainRows(part!) : [];
    if (what === 'map') return table.maps.has(part!) ? [mapRow(part!)] : [];
    return [
      { table: { name: name! } },
      ...[...table.maps.keys()].map(mapRow),
      ...[...table.sets].map(([set, elements]) => ({ set: { name: set, elem: [...elements] } })),
      ...[...table.chains.keys()].flatMap(chainRows),
    ];
  }

  #command(line: string): void {
    const fail = (code: FailureCode): never => {
      throw new EffectError(code, code === 'exists' ? 'File exists' : 'No such file or directory', line);
    };
    const match = /^(\w+) (\w+) (inet [\w-]+)(?: (\S+))?(?: (.*))?$/.exec(line);
    if (match === null) throw new Error(`not understood: ${line}`);
    const [, verb, object, tableName, name = '', rest = ''] = match as unknown as [string, string, string, string, string?, string?];
    if (object === 'table') {
      if (verb === 'delete') {
        if (!this.#tables.delete(tableName)) fail('missing');
      } else if (!this.#tables.has(tableName)) this.#tables.set(tableName, emptyTable());
      return;
    }
    const table = this.#tables.get(tableName) ?? fail('missing');
    const chain = table.chains.get(name);
    const map = table.maps.get(name);
    const set = table.sets.get(name);
    switch (`${verb} ${object}`) {
      case 'create chain':
        if (chain !== undefined) fail('exists');
        table.chains.set(name, { rules: [], base: false });
        return;
      case 'add chain':
        if (chain === undefined) table.chains.set(name, { rules: [], base: rest !== '' });
        return;
      case 'flush chain':
        (chain ?? fail('missing')).rules = [];
        return;
      case 'delete chain':
        if (chain === undefined) fail('missing');
        if (isReferredTo(table, name)) throw new EffectError('busy', 'Device or resource busy', line);
        table.chains.delete(name);
        return;
      case 'add map':
        if (map === undefined) table.maps.set(name, new Map());
        return;
      case 'add set':
        if (set === undefined) table.sets.set(name, new Set());
        return;
      case 'flush set':
        (set ?? fail('missing')).clear();
        return;
      case 'delete map':
        if (!table.maps.delete(name)) fail('missing');
        if (isReferredTo(table, `@${name}`)) throw new EffectError('busy', 'Device or resource busy', line);
        return;
      case 'delete set':
        if (!table.sets.delete(name)) fail('missing');
        if (isReferredTo(table, `@${name}`)) throw new EffectError('busy', 'Device or resource busy', line);
        return;
      case 'add rule':
        (chain ?? fail('missing')).rules.push({ handle: ++this.#handle, text: rest });
        return;
      case 'insert rule':
        (chain ?? fail('missing')).rules.unshift({ handle: ++this.#handle, text: rest });
        return;
      case 'delete rule': {
        const rules = (chain ?? fail('missing')).rules;
        const at = rules.findIndex(({ handle }) => rest === `handle ${handle}`);
        if (at < 0) fail('missing');
        rules.splice(at, 1);
        return;
      }
      case 'create element':
      case 'add element': {
        for (const element of membersOf(rest)) {
          const [key, value] = element.split(' : ') as [string, string | undefined];
          if (set !== undefined) set.add(key);
          else {
            const bare = key.replace(/ comment ".*"$/, '');
            if (map === undefined) fail('missing');
            if (map!.has(bare) && verb === 'create') fail('exists');
            map!.set(bare, `${value}${key.slice(bare.length)}`);
          }
        }
        return;
      }
      case 'delete element':
        for (const key of membersOf(rest)) if (!(set ?? map ?? fail('missing')).delete(key)) fail('missing');
        return;
      default:
        throw new Error(`not understood: ${line}`);
    }
  }

  /** What is referred to must be there. */
  #mustHold(): void {
    for (const { chains, maps, sets } of this.#tables.values()) {
      const targets = [
        ...[...maps.values()].flatMap((map) => [...map.values()].map((value) => value.split(' ')[1]!)),
        ...[...chains.values()].flatMap(({ rules }) => rules.flatMap(({ text }) => /(?:jump|goto) (\S+)/.exec(text)?.[1] ?? [])),
      ];
      for (const target of targets)
        if (!chains.has(target)) throw new EffectError('busy', 'Device or resource busy', `delete chain ${target}`);
      const used = [...chains.values()].flatMap(({ rules }) =>
        rules.flatMap(({ text }) => [...text.matchAll(/@(\S+)/g)].map(([, name]) => name!)),
      );
      for (const name of used)
        if (!sets.has(name) && !maps.has(name)) throw new EffectError('missing', 'No such file or directory', `@${name}`);
    }
  }
}

/** Whether a rule or an element of a map leads to a chain, or a rule uses a set: `@name`. What refers to it goes first, in a transaction, too. */
function isReferredTo({ chains, maps }: ModelTable, name: string): boolean {
  const isIn = (text: string): boolean => text.split(' ').includes(name);
  return (
    [...chains.values()].some(({ rules }) => rules.some(({ text }) => isIn(text))) ||
    [...maps.values()].some((map) => [...map.values()].some(isIn))
  );
}

const emptyTable = (): ModelTable => ({ chains: new Map(), maps: new Map(), sets: new Map() });

const membersOf = (text: string): readonly string[] =>
  text
    .replace(/^\{ | \}$/g, '')
    .split(', ')
    .map((each) => each.replaceAll('"', each.includes('comment') ? '"' : ''));

const commentOf = (text: string): string | undefined => /comment "([^"]*)"/.exec(text)?.[1];
const commentRow = (text: string): JsonObject => (commentOf(text) === undefined ? {} : { comment: commentOf(text)! });

function elementRow(key: string, value: string): Json {
  const parts = key.split(' . ').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const val = parts.length === 1 ? parts[0]! : { concat: parts };
  return [{ elem: { val, ...commentRow(value) } }, { goto: { target: value.split(' ')[1]! } }];
}

function expressions(text: string): readonly Json[] {
  const jump = /(jump|goto) (\S+)/.exec(text);
  const dnat = /dnat \w+ to (?:\[([^\]]+)\]|([^:]+)):(\d+)/.exec(text);
  return [
    ...(jump === null ? [] : [{ [jump[1]!]: { target: jump[2]! } }]),
    ...(dnat === null ? [] : [{ dnat: { addr: dnat[1] ?? dnat[2]!, port: Number(dnat[3]) } }]),
  ];
}
