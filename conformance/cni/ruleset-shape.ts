import type { RawRow } from './kernel-state.ts';

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly prio?: number;
  readonly policy?: string;
}

interface NftRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly expr: readonly RawRow[];
}

interface NftSet {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly elem?: readonly unknown[];
}

const MAX_DEPTH = 8;

/**
 * What a ruleset does, without how it is written: for each base chain the rules that a packet may meet, jumps followed, sets and maps
 * put in their places, a map of verdicts as one rule for each of its elements, names of tables and chains, comments and counters left
 * out. Pure.
 */
export function rulesetShape(rows: readonly RawRow[]): string[] {
  const chains: NftChain[] = [];
  const rules = new Map<string, NftRule[]>();
  const sets = new Map<string, NftSet>();
  for (const row of rows) {
    if ('chain' in row) chains.push(row['chain'] as NftChain);
    for (const kind of ['set', 'map']) {
      if (!(kind in row)) continue;
      const set = row[kind] as NftSet;
      sets.set(`${set.family} ${set.table} @${set.name}`, set);
    }
    if ('rule' in row) {
      const rule = row['rule'] as NftRule;
      const key = `${rule.family} ${rule.table} ${rule.chain}`;
      rules.set(key, [...(rules.get(key) ?? []), rule]);
    }
  }
  const lines: string[] = [];
  const follow = (base: string, scope: string, chain: string, before: readonly string[], depth: number): void => {
    for (const rule of rules.get(`${scope} ${chain}`) ?? []) {
      for (const expressions of withoutVerdictMap(rule.expr, scope, sets)) {
        const words = expressions
          .filter((each) => !('counter' in each) && !('xt' in each))
          .map((each) => expressionText(each, scope, sets));
        const target = jumpTarget(expressions);
        if (target === undefined) lines.push(`${base}: ${[...before, ...words].join(' ')}`);
        else if (depth < MAX_DEPTH) follow(base, scope, target, [...before, ...words.slice(0, -1)], depth + 1);
      }
    }
  };
  for (const chain of chains) {
    if (chain.hook === undefined) continue;
    const base = `${chain.family} ${chain.type}/${chain.hook}/${chain.prio} ${chain.policy ?? 'accept'}`;
    follow(base, `${chain.family} ${chain.table}`, chain.name, [], 0);
  }
  return lines.filter((line) => !line.endsWith(': '));
}

/** A rule whose verdict is looked up, as one rule for each element of the map; any other as it is. */
function withoutVerdictMap(
  expressions: readonly RawRow[],
  scope: string,
  sets: ReadonlyMap<string, NftSet>,
): readonly (readonly RawRow[])[] {
  const at = expressions.findIndex((each) => 'vmap' in each);
  if (at < 0) return [expressions];
  const { key, data } = expressions[at]!['vmap'] as { readonly key: unknown; readonly data: unknown };
  const map = typeof data === 'string' ? sets.get(`${scope} ${data}`)?.elem : (data as { readonly set?: readonly unknown[] }).set;
  return (map ?? []).map((element) => {
    const [value, verdict] = element as readonly [unknown, RawRow];
    return [...expressions.slice(0, at), ...matches(key, withoutComment(value)), verdict, ...expressions.slice(at + 1)];
  });
}

/** That a key has a value, part by part where it has several. */
function matches(key: unknown, value: unknown): readonly RawRow[] {
  const [keys, values] = [partsOf(key), partsOf(value)];
  if (keys.length !== values.length) return [{ match: { op: '==', left: key, right: value } }];
  return keys.map((left, index) => ({ match: { op: '==', left, right: values[index] } }));
}

const partsOf = (value: unknown): readonly unknown[] => (value as { readonly concat?: readonly unknown[] } | null)?.concat ?? [value];

const withoutComment = (element: unknown): unknown =>
  (element as { readonly elem?: { readonly val: unknown } } | null)?.elem?.val ?? element;

function jumpTarget(expressions: readonly RawRow[]): string | undefined {
  for (const each of expressions) {
    const verdict = (each['jump'] ?? each['goto']) as { readonly target: string } | undefined;
    if (verdict !== undefined) return verdict.target;
  }
  return undefined;
}

function expressionText(expression: unknown, scope: string, sets: ReadonlyMap<string, NftSet>): string {
  return JSON.stringify(expression, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith('@')) return value;
    return sets.get(`${scope} ${value}`)?.elem ?? [];
  });
}
