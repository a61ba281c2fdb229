import type { ListExpr, MapExpr, StructExpr } from '../../ast.ts';
import { LIST_LITERAL, MAP_LITERAL, STRUCT_LITERAL } from '../closure/frame.ts';
import type { Context, Operand, Scope } from './context.ts';
import { type Fragment, js, separated } from './emitter.ts';
import { asValue, computed, failing } from './operand.ts';

const values = (fragments: readonly Fragment[]): Fragment => separated(fragments, js`, `);

/** `[a, ?b]`. */
export function visitList(context: Context, expr: ListExpr, scope: Scope | undefined): Operand {
  const elements = expr.elements.map((element) => context.bind(asValue(context, context.visit(context, element, scope))));
  context.charge(LIST_LITERAL);
  const list = js`[${values(elements.map((element) => element.code))}]`;
  if (expr.optionalIndices.length > 0) {
    return failing(context, js`${context.runtime('list')}(${list}, ${context.hoist(expr.optionalIndices)})`, 'list');
  }
  const json = elements.every((element) => element.json || element.known === 'string' || element.known === 'bool');
  return { ...computed(context, list, 'list'), json };
}

/** `{a: b, ?c: d}`. */
export function visitMap(context: Context, expr: MapExpr, scope: Scope | undefined): Operand {
  const entries = expr.entries.map((entry) => ({
    key: context.bind(asValue(context, context.visit(context, entry.key, scope))),
    value: context.bind(asValue(context, context.visit(context, entry.value, scope))),
    optional: entry.optional,
  }));
  context.charge(MAP_LITERAL);
  const keys = entries.map(({ key }) => key.literal?.value);
  if (entries.every(({ optional }) => !optional) && keys.every((key) => typeof key === 'string')) {
    // A computed name is an own property even when it is `__proto__`.
    const fields = entries.map(({ key, value }) => js`[${key.code}]: ${value.code}`);
    return computed(context, js`{ __proto__: null, ${values(fields)} }`);
  }
  const parts = entries.flatMap(({ key, value }) => [key.code, value.code]);
  const optionals = entries.flatMap(({ optional }, i) => (optional ? [i] : []));
  return failing(context, js`${context.runtime('map')}([${values(parts)}], ${context.hoist(optionals)})`);
}

/** `Name{field: a, ?other: b}`. */
export function visitStruct(context: Context, expr: StructExpr, scope: Scope | undefined): Operand {
  const reference = context.ast.references[expr.id];
  const typeName = reference && reference.kind !== 'function' ? reference.name : expr.typeName;
  const fields = expr.fields.map((field) => context.bind(asValue(context, context.visit(context, field.value, scope))));
  context.charge(STRUCT_LITERAL);
  const names = context.hoist(expr.fields.map((field) => field.name));
  const optionals = context.hoist(expr.fields.flatMap((field, i) => (field.optional ? [i] : [])));
  const list = values(fields.map((field) => field.code));
  return failing(context, js`${context.runtime('struct')}(${typeName}, ${names}, [${list}], ${optionals})`);
}
