import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';

/*
 * Reads what `nft -j -a list` answers. Only what our own table can hold is understood; anything else is passed over, as others may
 * have put something in.
 */

/** An element of a verdict map. */
export interface ListedElement {
  readonly map: string;
  /** As it is written in a command: `tcp . 8080`. */
  readonly key: string;
  /** The chain it leads to. */
  readonly chain: string;
  readonly comment: string | undefined;
}

export interface ListedRule {
  readonly chain: string;
  readonly handle: number;
  /** The chain that it jumps to, or goes to. */
  readonly target: string | undefined;
  readonly comment: string | undefined;
  readonly expressions: readonly Json[];
}

export function listedElements(rows: readonly JsonObject[]): readonly ListedElement[] {
  return rows.flatMap(({ map }) => {
    const name = textAt(map, 'name');
    if (name === undefined) return [];
    return listAt(map, 'elem').flatMap((pair) => {
      const [left, right] = Array.isArray(pair) ? (pair as readonly Json[]) : [];
      const chain = targetOf(right);
      const key = keyText(valueAt(left, 'elem', 'val') ?? left);
      return chain === undefined || key === undefined ? [] : [{ map: name, key, chain, comment: textAt(left, 'elem', 'comment') }];
    });
  });
}

export function listedRules(rows: readonly JsonObject[]): readonly ListedRule[] {
  return rows.flatMap(({ rule }) => {
    const chain = textAt(rule, 'chain');
    const handle = valueAt(rule, 'handle');
    if (chain === undefined || typeof handle !== 'number') return [];
    const expressions = listAt(rule, 'expr');
    const target = expressions.map(targetOf).find((name) => name !== undefined);
    return [{ chain, handle, target, comment: textAt(rule, 'comment'), expressions }];
  });
}

/** Names of the tables that are listed. */
export const listedTables = (rows: readonly JsonObject[]): readonly string[] => rows.flatMap(({ table }) => textAt(table, 'name') ?? []);

/** Names of the chains that are listed. */
export const listedChains = (rows: readonly JsonObject[]): readonly string[] => rows.flatMap(({ chain }) => textAt(chain, 'name') ?? []);

/** Elements of the sets that are listed, by the name of their set, as commands write them. */
export function listedSets(rows: readonly JsonObject[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    rows.flatMap(({ set }) => {
      const name = textAt(set, 'name');
      if (name === undefined) return [];
      return [[name, listAt(set, 'elem').flatMap((element) => keyText(valueAt(element, 'elem', 'val') ?? element) ?? [])] as const];
    }),
  );
}

/** A key of a map, or an element of a set, as a command writes it; undefined for what we never write. */
function keyText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  const network = textAt(value, 'prefix', 'addr');
  if (network !== undefined) return `${network}/${String(valueAt(value, 'prefix', 'len'))}`;
  const range = listAt(value, 'range');
  if (range.length === 2) return range.map((end) => keyText(end) ?? '').join('-');
  const parts = listAt(value, 'concat');
  if (parts.length === 0) return undefined;
  // The last part is a port; a number before it is a protocol, whose name this host does not know (/etc/protocols).
  return parts.map((part, index) => (index < parts.length - 1 && PROTOCOLS.get(part)) || (keyText(part) ?? '')).join(' . ');
}

const PROTOCOLS: ReadonlyMap<Json, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

const targetOf = (expression: Json | undefined): string | undefined =>
  textAt(expression, 'goto', 'target') ?? textAt(expression, 'jump', 'target');

const valueAt = (value: Json | undefined, ...path: readonly string[]): Json | undefined =>
  path.reduce<Json | undefined>((found, key) => (isJsonObject(found) ? found[key] : undefined), value);

const textAt = (value: Json | undefined, ...path: readonly string[]): string | undefined => {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
};

const listAt = (value: Json | undefined, key: string): readonly Json[] => {
  const found = valueAt(value, key);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
};
