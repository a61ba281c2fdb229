import type { JsonObject } from '../../object/json.ts';
import { sha256 } from '../../text/digest.ts';
import { listedChains, listedElements, listedRules, listedSets } from './listing.ts';

/*
 * A table of nftables as a whole: what it should hold, what it holds, and the commands that make the one of the other. They are one
 * transaction, and name only what differs, so that it costs what has changed, however much there is.
 */

/** What a table should hold, by the names of its parts. */
export interface TableContent {
  readonly sets: ReadonlyMap<string, SetContent>;
  /** Verdict maps: what follows a key, as `jump some-chain`. */
  readonly maps: ReadonlyMap<string, MapContent>;
  readonly chains: ReadonlyMap<string, ChainContent>;
}

export interface SetContent {
  /** `ipv4_addr` */
  readonly type: string;
  /** Of networks, which may overlap. Its name must say what is in it, as nft shows them merged. */
  readonly isInterval: boolean;
  readonly elements: readonly string[];
}

export interface MapContent {
  readonly type: string;
  /** Names of the chains that are jumped to, by key. */
  readonly targets: ReadonlyMap<string, string>;
}

export interface ChainContent {
  /** Where packets come into it, as `type filter hook forward priority 0`; empty for one that is jumped to. */
  readonly hook: string;
  readonly rules: readonly string[];
}

/** What is there. Of chains that were listed it is only known whether they are as something should be. */
export interface PresentTable {
  readonly sets: ReadonlyMap<string, readonly string[]>;
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly chains: ReadonlyMap<string, { readonly rules: readonly string[] } | { readonly count: number; readonly digest: string }>;
}

export const EMPTY_TABLE: PresentTable = { sets: new Map(), maps: new Map(), chains: new Map() };

/** What is there when nobody else has changed it since it was made. */
export const asMade = ({ sets, maps, chains }: TableContent): PresentTable => ({
  sets: new Map([...sets].map(([name, { elements }]) => [name, elements])),
  maps: new Map([...maps].map(([name, { targets }]) => [name, targets])),
  chains,
});

/** What `nft list table` showed. */
export function asListed(rows: readonly JsonObject[]): PresentTable {
  const maps = new Map<string, Map<string, string>>(rows.flatMap(({ map }) => (isNamed(map) ? [[map.name, new Map()]] : [])));
  for (const { map, key, chain } of listedElements(rows)) maps.get(map)?.set(key, chain);
  const chains = new Map<string, { count: number; digest: string }>(listedChains(rows).map((name) => [name, { count: 0, digest: '' }]));
  for (const { chain, comment } of listedRules(rows)) {
    const found = chains.get(chain);
    if (found === undefined) continue;
    found.count++;
    found.digest = comment ?? '';
  }
  return { sets: listedSets(rows), maps, chains };
}

const isNamed = (value: unknown): value is { readonly name: string } =>
  typeof value === 'object' && value !== null && typeof (value as { readonly name?: unknown }).name === 'string';

/** What differs, in words, one line each. */
export function tableProblems(present: PresentTable, wanted: TableContent): readonly string[] {
  const problems: string[] = [];
  for (const [name, chain] of wanted.chains) {
    const found = present.chains.get(name);
    if (found === undefined) problems.push(`there is no chain ${name}`);
    else if (!isSameChain(found, chain)) problems.push(`the chain ${name} has other rules`);
  }
  for (const [name, { elements, isInterval }] of wanted.sets) {
    const found = present.sets.get(name);
    if (found === undefined) problems.push(`there is no set ${name}`);
    else if (!isInterval) problems.push(...differing(name, new Set(found), new Set(elements)));
  }
  for (const [name, { targets }] of wanted.maps) {
    const found = present.maps.get(name);
    if (found === undefined) problems.push(`there is no map ${name}`);
    else problems.push(...differing(name, entriesOf(found), entriesOf(targets)));
  }
  return problems;
}

function differing(name: string, found: ReadonlySet<string>, wanted: ReadonlySet<string>): readonly string[] {
  const lacking = [...wanted].filter((each) => !found.has(each));
  const others = [...found].filter((each) => !wanted.has(each));
  return [
    ...(lacking.length === 0 ? [] : [`${name} lacks ${someOf(lacking)}`]),
    ...(others.length === 0 ? [] : [`${name} has ${someOf(others)}`]),
  ];
}

const someOf = (list: readonly string[]): string =>
  list.length > 3 ? `${list.slice(0, 3).join(', ')} and ${list.length - 3} more` : list.join(', ');
const entriesOf = (map: ReadonlyMap<string, string>): ReadonlySet<string> => new Set([...map].map(([key, chain]) => `${key} to ${chain}`));

/**
 * Commands that make of what is there what is wanted, all in one transaction; none where nothing differs. Names that begin so are `kept`,
 * though nobody wants them.
 */
export function tableChanges(table: string, present: PresentTable, wanted: TableContent, kept: string): readonly string[] {
  const isStale = (name: string, there: ReadonlyMap<string, unknown>): boolean => !there.has(name) && !name.startsWith(kept);
  const stale = [...present.chains.keys()].filter((name) => isStale(name, wanted.chains));
  return [
    ...[...wanted.sets].flatMap(([name, set]) => setChanges(`${table} ${name}`, present.sets.get(name), set)),
    ...[...wanted.maps].flatMap(([name, { type }]) =>
      present.maps.has(name) ? [] : [`add map ${table} ${name} { type ${type} : verdict ; }`],
    ),
    ...chainChanges(table, present, wanted),
    ...[...wanted.maps].flatMap(([name, { targets }]) => mapChanges(`${table} ${name}`, present.maps.get(name) ?? new Map(), targets)),
    // What others refer to goes after them: chains jump to each other, and maps lead to chains.
    ...stale.map((name) => `flush chain ${table} ${name}`),
    ...[...present.maps.keys()].filter((name) => isStale(name, wanted.maps)).map((name) => `delete map ${table} ${name}`),
    ...stale.map((name) => `delete chain ${table} ${name}`),
    ...[...present.sets.keys()].filter((name) => isStale(name, wanted.sets)).map((name) => `delete set ${table} ${name}`),
  ];
}

function setChanges(words: string, present: readonly string[] | undefined, { type, isInterval, elements }: SetContent): readonly string[] {
  if (present === undefined) {
    const flags = isInterval ? ' flags interval ; auto-merge ;' : '';
    return [`add set ${words} { type ${type} ;${flags} }`, ...elementCommands('add', words, elements)];
  }
  // As a rule nothing has changed, and nothing has moved.
  if (isInterval || isSameList(present, elements)) return [];
  const [before, after] = [new Set(present), new Set(elements)];
  return [
    ...elementCommands(
      'delete',
      words,
      [...before].filter((each) => !after.has(each)),
    ),
    ...elementCommands(
      'add',
      words,
      [...after].filter((each) => !before.has(each)),
    ),
  ];
}

function chainChanges(table: string, present: PresentTable, wanted: TableContent): readonly string[] {
  const changed = [...wanted.chains].filter(([name, chain]) => {
    const found = present.chains.get(name);
    return found === undefined || !isSameChain(found, chain);
  });
  return [
    ...changed.flatMap(([name, { hook }]) => [
      `add chain ${table} ${name}${hook === '' ? '' : ` { ${hook} ; policy accept ; }`}`,
      ...(present.chains.has(name) ? [`flush chain ${table} ${name}`] : []),
    ]),
    ...changed.flatMap(([name, { rules }]) => [
      ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
      // By this it is known again.
      `add rule ${table} ${name} return comment "${digestOf(rules)}"`,
    ]),
  ];
}

function mapChanges(words: string, present: ReadonlyMap<string, string>, targets: ReadonlyMap<string, string>): readonly string[] {
  const gone = [...present].flatMap(([key, chain]) => (targets.get(key) === chain ? [] : [key]));
  const come = [...targets].flatMap(([key, chain]) => (present.get(key) === chain ? [] : [`${key} : jump ${chain}`]));
  return [...elementCommands('delete', words, gone), ...elementCommands('add', words, come)];
}

const elementCommands = (verb: 'add' | 'delete', words: string, elements: readonly string[]): readonly string[] =>
  elements.length === 0 ? [] : [`${verb} element ${words} { ${elements.join(', ')} }`];

function isSameChain(found: PresentTable['chains'] extends ReadonlyMap<string, infer C> ? C : never, { rules }: ChainContent): boolean {
  if ('rules' in found) return isSameList(found.rules, rules);
  return found.count === rules.length + 1 && found.digest === digestOf(rules);
}

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((each, index) => each === b[index]));

const digestOf = (rules: readonly string[]): string => sha256(rules.join('\n')).slice(0, 16);
