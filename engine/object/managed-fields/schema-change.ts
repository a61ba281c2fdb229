import type { Schema } from '../schema.ts';
import { type FieldNode, type FieldSet, LEAF } from './field-set.ts';
import { fieldType } from './fields-of.ts';
import type { PathElement } from './path-element.ts';

/**
 * What a set written under an older schema says under this one: where a map or list has become one value since, who owned
 * some of it owns the whole. The set itself where nothing changes. Kubernetes: structured-merge-diff typed/reconcile_schema.go.
 */
export function adoptSchema(set: FieldSet, schema: Schema | undefined): FieldSet {
  let out: Map<PathElement, FieldNode> | undefined;
  for (const [element, node] of set) {
    if (node.children === undefined) continue;
    const type = typeBelow(schema, element);
    if (type === undefined) continue;
    const adopted = isOneValue(type) ? LEAF : withChildren(node, adoptSchema(node.children, type));
    if (adopted === node) continue;
    out ??= new Map(set);
    out.set(element, adopted);
  }
  return out ?? set;
}

function isOneValue(schema: Schema): boolean {
  if (schema.kind === 'list') return schema.listType === 'atomic';
  return (schema.kind === 'map' || schema.kind === 'any') && schema.atomic;
}

function withChildren(node: FieldNode, children: FieldSet): FieldNode {
  return children === node.children ? node : { isMember: node.isMember, children };
}

function typeBelow(schema: Schema | undefined, element: PathElement): Schema | undefined {
  if (schema?.kind === 'list') return schema.items;
  return schema?.kind === 'map' && element.startsWith('f:') ? fieldType(schema, element.slice(2)) : undefined;
}
