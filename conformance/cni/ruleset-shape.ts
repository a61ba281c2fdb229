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
 * put in their places, names of tables and chains, comments and counters left out. Pure.
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
      const words = rule.expr.filter((each) => !('counter' in each) && !('xt' in each)).map((each) => expressionText(each, scope, sets));
      const target = jumpTarget(rule.expr);
      if (target === undefined) lines.push(`${base}: ${[...before, ...words].join(' ')}`);
      else if (depth < MAX_DEPTH) follow(base, scope, target, [...before, ...words.slice(0, -1)], depth + 1);
    }
  };
  for (const chain of chains) {
    if (chain.hook === undefined) continue;
    const base = `${chain.family} ${chain.type}/${chain.hook}/${chain.prio} ${chain.policy ?? 'accept'}`;
    follow(base, `${chain.family} ${chain.table}`, chain.name, [], 0);
  }
  return lines.filter((line) => !line.endsWith(': '));
}

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
