import { isPlainObject } from '../../cel/run/type-of.ts';
import { CelError, CelMap, type CelValue } from '../../cel/values.ts';
import { applyConfiguration } from '../../object/apply-configuration.ts';
import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../object/json.ts';
import { applyPatch, type PatchOperation } from '../../object/json-patch.ts';
import { splitTokens } from '../../object/json-pointer.ts';
import type { PathSetter } from '../../object/path-set.ts';
import type { Template } from '../../object/template.ts';
import type { TypeTable } from '../../object/type-table.ts';
import { checkTypedValue, formatTypedValueErrors } from '../../object/typed-value.ts';
import type { MutationContext, MutationResult, MutationStep } from './mutation.ts';
import type { Expression } from './policy.ts';

/** One mutation of an AdmissionRule, ready to run. */
export interface RuleMutation {
  readonly index: number;
  readonly when: Expression | undefined;
  readonly forEach: Expression | undefined;
  readonly change: RuleChange;
  readonly types: TypeTable | undefined;
}

/** What a mutation does, for the object as a whole or for one item of `forEach`. */
export type RuleChange =
  | { readonly kind: 'apply'; readonly template: Template<Expression> }
  | { readonly kind: 'patch'; readonly operations: readonly PatchTemplate[] }
  | { readonly kind: 'set'; readonly setter: PathSetter; readonly value: Template<Expression> };

export interface PatchTemplate {
  readonly op: PatchOperation['op'];
  readonly path: Template<Expression>;
  readonly from: Template<Expression> | undefined;
  readonly value: Template<Expression> | undefined;
}

/** More repetitions than this are a mistake, not a mutation. */
const MAX_ITEMS = 10_000;

/** Stops a mutation with the text for the user. */
class MutationFailure {
  constructor(readonly message: string) {}
}

/**
 * A mutation of an AdmissionRule as a step of its policy. Everything is evaluated over the object as it was before the step;
 * then the changes are made in the order of the items.
 *
 * Done twice, a step changes no more than done once where its form allows: `apply` and `set` write the same again, and an
 * `add` at the end of a list (`/-`) leaves out an element that is there already, equal or with the same list key.
 */
export function ruleMutationStep(mutation: RuleMutation): MutationStep {
  return {
    index: mutation.index,
    expressions: expressionsOf(mutation),
    run(object, context) {
      try {
        return run(mutation, object, context);
      } catch (error) {
        if (error instanceof MutationFailure) return { ok: false, error: error.message };
        throw error;
      } finally {
        bind(context, undefined, undefined, undefined);
      }
    },
  };
}

function expressionsOf({ when, forEach, change }: RuleMutation): readonly Expression[] {
  const own = [when, forEach].filter((expression) => expression !== undefined);
  if (change.kind === 'apply') return [...own, ...change.template.expressions];
  if (change.kind === 'set') return [...own, ...change.value.expressions];
  return [
    ...own,
    ...change.operations.flatMap(({ path, from, value }) => [path, from, value].flatMap((template) => template?.expressions ?? [])),
  ];
}

function run(mutation: RuleMutation, object: JsonObject, context: MutationContext): MutationResult {
  if (mutation.forEach === undefined) {
    return holds(mutation, context) ? change(mutation, object, [rendered(mutation.change, context)], context) : { ok: true, object };
  }
  const renderings: Rendering[] = [];
  for (const item of itemsOf(evaluate(mutation.forEach, context), mutation.forEach)) {
    bind(context, item.value, item.index, item.key);
    if (holds(mutation, context)) renderings.push(rendered(mutation.change, context));
  }
  return renderings.length === 0 ? { ok: true, object } : change(mutation, object, renderings, context);
}

function bind({ activation }: MutationContext, item: CelValue | undefined, index: CelValue | undefined, key: CelValue | undefined): void {
  activation.item = item;
  activation.index = index;
  activation.key = key;
}

function holds({ when }: RuleMutation, context: MutationContext): boolean {
  return when === undefined || evaluate(when, context) === true;
}

/** The value of an expression; an error ends the step. */
function evaluate(expression: Expression, context: MutationContext): CelValue {
  const evaluated = context.evaluate(expression);
  if (evaluated.ok) return evaluated.value;
  throw new MutationFailure(evaluated.error);
}

interface Item {
  readonly value: CelValue;
  readonly index: CelValue | undefined;
  readonly key: CelValue | undefined;
}

function itemsOf(value: CelValue, expression: Expression): readonly Item[] {
  let items: readonly Item[];
  if (Array.isArray(value)) items = (value as readonly CelValue[]).map((each, index) => ({ value: each, index, key: undefined }));
  else if (value instanceof CelMap) {
    items = [...value.entries.values()].map(([key, each], index) => ({ value: each, index, key }));
  } else if (isPlainObject(value)) {
    items = Object.entries(value).map(([key, each], index) => ({ value: each, index, key }));
  } else throw new MutationFailure(`expression '${expression.text}' is neither a list nor a map`);
  if (items.length > MAX_ITEMS) throw new MutationFailure(`forEach over ${items.length} items, more than ${MAX_ITEMS}`);
  return items;
}

/** A change with its templates filled in. */
type Rendering =
  | { readonly kind: 'apply'; readonly configuration: Json | undefined }
  | { readonly kind: 'patch'; readonly operations: readonly PatchOperation[] }
  | { readonly kind: 'set'; readonly value: Json | undefined };

function rendered(ruleChange: RuleChange, context: MutationContext): Rendering {
  switch (ruleChange.kind) {
    case 'apply':
      return { kind: 'apply', configuration: render(ruleChange.template, context) };
    case 'set':
      return { kind: 'set', value: render(ruleChange.value, context) };
    case 'patch':
      return { kind: 'patch', operations: ruleChange.operations.map((operation) => renderOperation(operation, context)) };
  }
}

function renderOperation({ op, path, from, value }: PatchTemplate, context: MutationContext): PatchOperation {
  const operation: Record<string, unknown> = { op, path: render(path, context) };
  if (from !== undefined) operation['from'] = render(from, context);
  if (value !== undefined) operation['value'] = render(value, context) ?? null;
  return operation as unknown as PatchOperation;
}

function render(template: Template<Expression>, context: MutationContext): Json | undefined {
  try {
    return template.render((expression) => evaluate(expression, context));
  } catch (error) {
    if (error instanceof CelError && error.code !== 'needs-fact') throw new MutationFailure(error.message);
    throw error;
  }
}

function change(mutation: RuleMutation, object: JsonObject, renderings: readonly Rendering[], context: MutationContext): MutationResult {
  const { kind } = context;
  const schema = mutation.types?.kind(kind.group, kind.version, kind.kind);
  let current = object;
  // Taken from the end, removals by index do not shift what is still to be removed.
  const ordered = renderings.some(removes) ? renderings.toReversed() : renderings;
  for (const rendering of ordered) {
    if (rendering.kind === 'apply') {
      if (rendering.configuration === undefined) continue;
      if (!isJsonObject(rendering.configuration)) return { ok: false, error: 'apply: the template gives no object' };
      const applied = applyConfiguration(current, rendering.configuration, schema, { atomics: 'replace' });
      if (!applied.ok) return { ok: false, error: `error applying patch: ${applied.message}` };
      current = applied.object;
    } else if (rendering.kind === 'set') {
      const { setter } = mutation.change as RuleChange & { readonly kind: 'set' };
      const outcome = setter(current, () => rendering.value);
      if (!outcome.ok) return { ok: false, error: `set: ${outcome.message}` };
      current = outcome.object as JsonObject;
    } else {
      const outcome = patch(current, rendering.operations, mutation.types, context);
      if (typeof outcome === 'string') return { ok: false, error: outcome };
      current = outcome;
    }
  }
  if (current === object || schema === undefined || mutation.change.kind === 'apply') return { ok: true, object: current };
  const errors = checkTypedValue(current, schema, { allowDuplicates: true });
  return errors.length === 0
    ? { ok: true, object: current }
    : { ok: false, error: `the mutated object is no ${kind.kind}: ${formatTypedValueErrors(errors)}` };
}

function removes(rendering: Rendering): boolean {
  return rendering.kind === 'patch' && rendering.operations.some((operation) => operation.op === 'remove' || operation.op === 'move');
}

function patch(
  object: JsonObject,
  operations: readonly PatchOperation[],
  types: TypeTable | undefined,
  context: MutationContext,
): JsonObject | string {
  let current: Json = object;
  for (const operation of operations) {
    if (alreadyAdded(current, operation, types, context)) continue;
    const outcome = applyPatch(current, [operation]);
    if (outcome.ok) current = outcome.value;
    // A failed test means: not for this object. Nothing of the mutation happens.
    else return outcome.kind === 'test-failed' ? object : `JSON Patch: ${outcome.message}`;
  }
  return isJsonObject(current) ? current : 'JSON Patch: the patched object is not an object';
}

/** Whether an `add` at the end of a list would add what the list already has. */
function alreadyAdded(object: Json, operation: PatchOperation, types: TypeTable | undefined, context: MutationContext): boolean {
  if (operation.op !== 'add' || typeof operation.path !== 'string' || !operation.path.endsWith('/-')) return false;
  const tokens = splitTokens(operation.path.slice(0, -2)) ?? [];
  let list: Json | undefined = object;
  let schema = types?.kind(context.kind.group, context.kind.version, context.kind.kind) as ReturnType<TypeTable['definition']>;
  for (const token of tokens) {
    if (Array.isArray(list)) {
      list = list[Number(token)];
      schema = schema?.kind === 'list' ? schema.items : undefined;
    } else if (isJsonObject(list)) {
      list = ownValue(list, token);
      schema = schema?.kind === 'map' ? (schema.fields.get(token)?.schema ?? schema.rest) : undefined;
    } else return false;
  }
  if (!Array.isArray(list)) return false;
  const value = operation.value as Json;
  const keys = schema?.kind === 'list' && schema.listType === 'map' ? schema.keys : [];
  return list.some((element: Json) => jsonEqual(element, value) || sameKey(element, value, keys));
}

function sameKey(a: Json, b: Json, keys: readonly string[]): boolean {
  if (keys.length === 0 || !isJsonObject(a) || !isJsonObject(b)) return false;
  return keys.every((key) => ownValue(a, key) !== undefined && jsonEqual(ownValue(a, key), ownValue(b, key)));
}
