import type { DocumentPath } from '../../text/document.ts';

/** A reference from one entry to another, and the expression it stands in. */
export interface Edge {
  readonly to: string;
  readonly path: DocumentPath;
}

export interface OrderedIds {
  /** Every id after those it refers to; otherwise in the order given. */
  readonly ids: readonly string[];
  /** Length of the longest way to an id that refers to nothing. */
  readonly levels: ReadonlyMap<string, number>;
}

export type OrderResult =
  | { readonly ok: true; readonly order: OrderedIds }
  /** `cycle` begins and ends with the same id; `edge` is the reference that closes it. */
  | { readonly ok: false; readonly cycle: readonly string[]; readonly edge: Edge };

/** Orders entries by what they refer to. References to unknown ids are passed over. */
export function orderByReferences(edges: ReadonlyMap<string, readonly Edge[]>): OrderResult {
  const levels = new Map<string, number>();
  const ids: string[] = [];
  const way: string[] = [];
  const visit = (id: string): OrderResult | undefined => {
    way.push(id);
    let level = 0;
    for (const edge of edges.get(id) ?? []) {
      if (!edges.has(edge.to)) continue;
      const start = way.indexOf(edge.to);
      if (start >= 0) return { ok: false, cycle: [...way.slice(start), edge.to], edge };
      if (!levels.has(edge.to)) {
        const problem = visit(edge.to);
        if (problem !== undefined) return problem;
      }
      level = Math.max(level, (levels.get(edge.to) as number) + 1);
    }
    way.pop();
    levels.set(id, level);
    ids.push(id);
    return undefined;
  };
  for (const id of edges.keys()) {
    if (levels.has(id)) continue;
    const problem = visit(id);
    if (problem !== undefined) return problem;
  }
  return { ok: true, order: { ids, levels } };
}
