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
 * out; what some packets return before is met by the others. Pure.
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
    let conditions = before;
    for (const rule of rules.get(`${scope} ${chain}`) ?? []) {
      for (const expressions of withoutVerdictMap(rule.expr, scope, sets)) {
        const telling = expressions.filter((each) => !('counter' in each) && !('xt' in each));
        const words = telling.map((each) => expressionText(each, scope, sets));
        const target = jumpTarget(expressions);
        const escaped = depth === 0 ? undefined : conditionOfReturn(telling);
        if (escaped !== undefined) conditions = [...conditions, expressionText(escaped, scope, sets)];
        else if (target === undefined) lines.push(`${base}: ${[...conditions, ...words].join(' ')}`);
        else if (depth < MAX_DEPTH) follow(base, scope, target, [...conditions, ...words.slice(0, -1)], depth + 1);
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

/** Of a rule by which some packets leave the chain: that a packet which meets the rules behind it is none of them. */
function conditionOfReturn(expressions: readonly RawRow[]): RawRow | undefined {
  const [first, second, ...more] = expressions;
  const match = first?.['match'] as { readonly op: string } | undefined;
  if (match?.op !== '==' || second === undefined || !('return' in second) || more.length > 0) return undefined;
  return { match: { ...match, op: '!=' } };
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

function partsOf(value: unknown): readonly unknown[] {
  const isConcatenated = typeof value === 'object' && value !== null && 'concat' in value;
  return isConcatenated ? (value.concat as readonly unknown[]) : [value];
}

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
