import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../json.ts';
import type { ListSchema, MapSchema, Schema } from '../schema.ts';
import { type FieldSet, FieldSetBuilder, NO_FIELDS, subtractFields } from './field-set.ts';
import { fieldType, type Shape, shapeOf } from './fields-of.ts';
import { fieldElement, listElement, type PathElement } from './path-element.ts';

/** How two objects differ, field by field. No field is in two of the sets. */
export interface Comparison {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
}

const SAME: Comparison = { removed: NO_FIELDS, modified: NO_FIELDS, added: NO_FIELDS };

/**
 * Compares two objects of one schema. A structure that appears or goes is itself a field here, besides what is in it. What
 * the objects share by identity costs nothing. Kubernetes: structured-merge-diff typed/compare.go.
 */
export function compareObjects(before: JsonObject, after: JsonObject, schema: MapSchema): Comparison {
  if (before === after) return SAME;
  const walk = new Walk();
  walk.compare(before, after, schema);
  return { removed: walk.removed.fields, modified: walk.modified.fields, added: walk.added.fields };
}

/** The comparison without some fields and all inside them. */
export function withoutFields(comparison: Comparison, excluded: FieldSet): Comparison {
  if (excluded.size === 0) return comparison;
  return {
    removed: subtractFields(comparison.removed, excluded, true),
    modified: subtractFields(comparison.modified, excluded, true),
    added: subtractFields(comparison.added, excluded, true),
  };
}

class Walk {
  readonly removed = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly added = new FieldSetBuilder();
  readonly #path: PathElement[] = [];

  /** At least one of the two is there. */
  compare(before: Json | undefined, after: Json | undefined, schema: Schema): void {
    if (before === after) return;
    const left = shapeOf(schema, before);
    const right = shapeOf(schema, after);
    let isLeaf = false;
    // A value of free-form JSON that changes its shape loses the fields of the old one and has the new one's.
    if (after === undefined || (before !== undefined && left.kind !== right.kind)) isLeaf = this.#compareAs(left, before, after);
    if (after !== undefined) isLeaf = this.#compareAs(right, before, after);
    if (isLeaf) return;
    if (before === undefined) this.added.add(this.#path);
    else if (after === undefined) this.removed.add(this.#path);
  }

  /** Whether the place was compared as one value. */
  #compareAs(shape: Shape, before: Json | undefined, after: Json | undefined): boolean {
    if (shape.kind === 'map') {
      const left = isJsonObject(before) ? before : undefined;
      const right = isJsonObject(after) ? after : undefined;
      // Null and {} are told apart where there is nothing else to tell.
      if (shape.atomic || (isEmpty(left) && isEmpty(right))) return this.#leaf(before, after);
      this.#compareMaps(left ?? NOTHING, right ?? NOTHING, shape.schema);
      return false;
    }
    if (shape.kind === 'list') {
      const left = Array.isArray(before) ? (before as readonly Json[]) : [];
      const right = Array.isArray(after) ? (after as readonly Json[]) : [];
      if (shape.schema === undefined || shape.schema.listType === 'atomic' || (left.length === 0 && right.length === 0)) {
        return this.#leaf(before, after);
      }
      this.#compareLists(left, right, shape.schema);
      return false;
    }
    return this.#leaf(before, after);
  }

  #leaf(before: Json | undefined, after: Json | undefined): true {
    if (before === undefined) this.added.add(this.#path);
    else if (after === undefined) this.removed.add(this.#path);
    else if (!jsonEqual(before, after)) this.modified.add(this.#path);
    return true;
  }

  #compareMaps(before: JsonObject, after: JsonObject, schema: MapSchema): void {
    for (const name of Object.keys(before)) {
      const old = before[name] as Json;
      const value = ownValue(after, name);
      if (old !== value) this.#descend(fieldElement(name), old, value, fieldType(schema, name));
    }
    for (const name of Object.keys(after)) {
      if (Object.hasOwn(before, name)) continue;
      this.#descend(fieldElement(name), undefined, after[name], fieldType(schema, name));
    }
  }

  #descend(element: PathElement, before: Json | undefined, after: Json | undefined, schema: Schema): void {
    this.#path.push(element);
    this.compare(before, after, schema);
    this.#path.pop();
  }

  #compareLists(before: readonly Json[], after: readonly Json[], list: ListSchema): void {
    const left = groupByElement(before, list);
    const right = groupByElement(after, list);
    for (const [element, old] of left) this.#compareElements(element, old, right.get(element) ?? [], list);
    for (const [element, values] of right) if (!left.has(element)) this.#compareElements(element, [], values, list);
  }

  /** Elements that share a key with others are compared as one value, and are no fields but the key. */
  #compareElements(element: PathElement, before: readonly Json[], after: readonly Json[], list: ListSchema): void {
    if (before.length <= 1 && after.length <= 1) {
      this.#descend(element, before[0], after[0], list.items);
    } else if (before.length >= 2 && after.length >= 2) {
      if (!jsonEqual(before, after)) this.#mark(this.modified, element);
    } else if (before.length >= 2) {
      if (after.length > 0) this.#descend(element, undefined, after[0], list.items);
      this.#mark(this.removed, element);
    } else {
      if (before.length > 0) this.#descend(element, before[0], undefined, list.items);
      this.#mark(this.added, element);
    }
  }

  #mark(set: FieldSetBuilder, element: PathElement): void {
    this.#path.push(element);
    set.add(this.#path);
    this.#path.pop();
  }
}

const NOTHING: JsonObject = Object.freeze({});

function isEmpty(value: JsonObject | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

function groupByElement(values: readonly Json[], list: ListSchema): Map<PathElement, Json[]> {
  const groups = new Map<PathElement, Json[]>();
  for (const value of values) {
    const element = listElement(list, value);
    if (element === undefined) continue;
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [value]);
    else group.push(value);
  }
  return groups;
}
