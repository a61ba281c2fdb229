import { formatFieldPath, type PathElement, sortElements } from './path-element.ts';

/**
 * A set of fields of an object, as a tree: what a manager owns, or what a write changes. Empty subtrees do not occur.
 * Sets are never changed after they are made; operations share what they do not change.
 *
 * Kubernetes: structured-merge-diff fieldpath/set.go.
 */
export type FieldSet = ReadonlyMap<PathElement, FieldNode>;

export interface FieldNode {
  /** Whether the field itself is in the set, and not only something inside it. */
  readonly isMember: boolean;
  readonly children: FieldSet | undefined;
}

export const NO_FIELDS: FieldSet = new Map();
/** A field of the set with nothing of it below. */
export const LEAF: FieldNode = Object.freeze({ isMember: true, children: undefined });

/** The fields of either set. */
export function unionFields(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || b.size === 0) return a;
  if (a.size === 0) return b;
  let out: Map<PathElement, FieldNode> | undefined;
  for (const [element, right] of b) {
    const left = a.get(element);
    const node = left === undefined ? right : unionNodes(left, right);
    if (node === left) continue;
    out ??= new Map(a);
    out.set(element, node);
  }
  return out ?? a;
}

function unionNodes(a: FieldNode, b: FieldNode): FieldNode {
  const children = a.children === undefined ? b.children : b.children === undefined ? a.children : unionFields(a.children, b.children);
  return nodeLike(a, a.isMember || b.isMember, children) as FieldNode;
}

/** The node itself where nothing changes, undefined where nothing is left. */
function nodeLike(node: FieldNode, isMember: boolean, children: FieldSet | undefined): FieldNode | undefined {
  const kept = children === undefined || children.size === 0 ? undefined : children;
  if (node.isMember === isMember && node.children === kept) return node;
  if (kept === undefined) return isMember ? LEAF : undefined;
  return { isMember, children: kept };
}

/** The fields of both sets. */
export function intersectFields(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || a.size === 0) return a;
  if (b.size === 0) return NO_FIELDS;
  const out = new Map<PathElement, FieldNode>();
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  for (const [element, one] of small) {
    const other = large.get(element);
    if (other === undefined) continue;
    const children = one.children && other.children && intersectFields(one.children, other.children);
    const node = nodeLike(one, one.isMember && other.isMember, children);
    if (node !== undefined) out.set(element, node);
  }
  return out.size === 0 ? NO_FIELDS : out;
}

/**
 * The fields of `a` that are not in `b`. Field by field: that `b` has a parent says nothing of the fields inside it, unless
 * `deep` is asked for, which takes those away, too.
 */
export function subtractFields(a: FieldSet, b: FieldSet, deep = false): FieldSet {
  if (a.size === 0 || b.size === 0) return a;
  if (a === b) return NO_FIELDS;
  let out: Map<PathElement, FieldNode> | undefined;
  for (const [element, right] of b) {
    const left = a.get(element);
    if (left === undefined) continue;
    const node = deep && right.isMember ? undefined : subtractNodes(left, right, deep);
    if (node === left) continue;
    out ??= new Map(a);
    if (node === undefined) out.delete(element);
    else out.set(element, node);
  }
  return out ?? a;
}

function subtractNodes(a: FieldNode, b: FieldNode, deep: boolean): FieldNode | undefined {
  const children = a.children && (b.children === undefined ? a.children : subtractFields(a.children, b.children, deep));
  return nodeLike(a, a.isMember && !b.isMember, children);
}

export function hasField(set: FieldSet, path: readonly PathElement[]): boolean {
  let level: FieldSet | undefined = set;
  for (let i = 0; level !== undefined && i < path.length; i++) {
    const node: FieldNode | undefined = level.get(path[i] as PathElement);
    if (i === path.length - 1) return node?.isMember === true;
    level = node?.children;
  }
  return false;
}

/** The paths of all fields, in the order in which the API server names them: those of a level before those below it. */
export function* fieldPaths(set: FieldSet, prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
  const elements = sortElements(set.keys());
  for (const element of elements) if (set.get(element)?.isMember) yield [...prefix, element];
  for (const element of elements) {
    const children = set.get(element)?.children;
    if (children !== undefined) yield* fieldPaths(children, [...prefix, element]);
  }
}

/** The fields as texts: `.spec.replicas`. */
export function formatFields(set: FieldSet): string[] {
  return Array.from(fieldPaths(set), formatFieldPath);
}

/** A set of a few paths. */
export function fieldSetOf(paths: Iterable<readonly PathElement[]>): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.add(path);
  return builder.fields;
}

interface GrowingNode {
  isMember: boolean;
  children: Map<PathElement, GrowingNode> | undefined;
}

/** Gathers paths into a set. */
export class FieldSetBuilder {
  readonly #root = new Map<PathElement, GrowingNode>();

  /** Adds a path; the empty one, the object itself, belongs to nobody. The path may change afterwards. */
  add(path: readonly PathElement[]): void {
    let level = this.#root;
    for (let i = 0; i < path.length; i++) {
      const element = path[i] as PathElement;
      let node = level.get(element);
      if (node === undefined) {
        node = { isMember: false, children: undefined };
        level.set(element, node);
      }
      if (i === path.length - 1) node.isMember = true;
      else {
        node.children ??= new Map();
        level = node.children;
      }
    }
  }

  /** What was added so far. */
  get fields(): FieldSet {
    return this.#root.size === 0 ? NO_FIELDS : this.#root;
  }
}
