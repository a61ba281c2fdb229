import { BOOL, type CelType, DYN, listOf, optionalOf } from '../../cel/types.ts';
import { type CelValue, NONE, some } from '../../cel/values.ts';
import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import { labelSelectorOf } from '../../object/label-selector.ts';
import type { SchemaTypes } from '../../object/schema-types.ts';
import { compileTemplate, reportTemplateIssues, type Template } from '../../object/template.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Expression, ExpressionCompiler } from '../expressions.ts';
import { lookUpKind, reportUnknownKind } from '../kinds.ts';
import type { Reporter } from '../reporter.ts';
import type { ObjectDocument } from './document.ts';
import { RuleFault } from './evaluation.ts';
import { isPodResources } from './node-objects.ts';
import type { NetworkFacts, NetworkNeeds } from './program.ts';
import { FAULT_CODES } from './protocol/fault.ts';

/** An object of the cluster, or a list of them, that a rule reads. */
export interface ClusterObject {
  readonly id: string;
  readonly path: DocumentPath;
  readonly apiVersion: string;
  readonly kind: string;
  readonly when: Expression | undefined;
  readonly name: Template<Expression> | undefined;
  readonly namespace: Template<Expression> | undefined;
  readonly selector: Template<Expression> | undefined;
  /** The id is an optional. */
  readonly isOptional: boolean;
  /** Its values are not for messages. */
  readonly isSecret: boolean;
  /** Names that its expressions read, themselves or by variables. */
  readonly reads: ReadonlySet<string>;
}

/** The types of the ids; what is not known of kinds is reported. */
export function objectTypes(
  report: Reporter,
  documents: readonly ObjectDocument[],
  types: TypeTable | undefined,
  schemaTypes: SchemaTypes,
): Record<string, CelType> {
  const found: Record<string, CelType> = {};
  for (const [index, { id, when, external }] of documents.entries()) {
    const { apiVersion, kind } = external;
    const { schema } = lookUpKind(types, apiVersion, kind);
    const path = ['spec', 'objects', index, 'external', 'kind'];
    if (schema === undefined && !isPodResources(external)) reportUnknownKind(report, types, path, apiVersion, kind, 'network-unknown-kind');
    const one = schema === undefined ? DYN : (schemaTypes.typeOf(schema) ?? DYN);
    const type = external.selector === undefined ? one : listOf(one);
    found[id] = when !== undefined || external.optional === true ? optionalOf(type) : type;
  }
  return found;
}

/** Compiles an entry of `objects`; what is wrong with it is reported. */
export function compileObject(
  report: Reporter,
  document: ObjectDocument,
  path: DocumentPath,
  compiler: ExpressionCompiler,
  types: TypeTable | undefined,
): ClusterObject | undefined {
  const { id, external } = document;
  const { apiVersion, kind } = external;
  const at = [...path, 'external'];
  const reads = new Set<string>();
  const note = (expression: Expression | undefined) => {
    for (const name of expression?.ids ?? []) reads.add(name);
    return expression;
  };
  const template = (field: 'name' | 'namespace' | 'selector') => {
    const value = external[field];
    if (value === undefined) return undefined;
    const below = [...at, field];
    const { template: made, issues } = compileTemplate(value as Json, (place) =>
      note(compiler.compile({ path: [...below, ...place.path], text: place.text, offset: place.offset })),
    );
    reportTemplateIssues(report, below, issues);
    return made;
  };
  const when =
    document.when === undefined
      ? undefined
      : note(compiler.compile({ path: [...path, 'when'], text: document.when }, undefined, { resultTypes: [BOOL, DYN] }));
  if ((external.name === undefined) === (external.selector === undefined)) {
    report.error(at, 'network-external', 'expected exactly one of name and selector');
    return undefined;
  }
  const { namespaced } = lookUpKind(types, apiVersion, kind);
  if (namespaced === true && external.name !== undefined && external.namespace === undefined) {
    report.error(at, 'network-external', `a ${kind} is in a namespace: say in which`, `as namespace: "\${args.K8S_POD_NAMESPACE}"`);
  }
  if (namespaced === false && external.namespace !== undefined)
    report.error([...at, 'namespace'], 'network-external', `objects of the kind ${kind} are in no namespace`);
  return {
    id,
    path,
    apiVersion,
    kind,
    when,
    name: template('name'),
    namespace: template('namespace'),
    selector: template('selector'),
    isOptional: document.when !== undefined || external.optional === true,
    isSecret: kind === 'Secret',
    reads,
  };
}

/** What facts are asked while objects are looked up. */
export interface NeededFacts {
  readonly reads: { readonly objects: NetworkNeeds['objects'][number][]; readonly queries: NetworkNeeds['queries'][number][] };
  readonly needs: { readonly objects: NetworkNeeds['objects'][number][]; readonly queries: NetworkNeeds['queries'][number][] };
}

/**
 * Looks an entry up. Undefined: it is not known yet, which is noted as needed. Throws a {@link RuleFault} where an expression fails, or there is
 * no such object.
 */
export function lookUpObject(
  object: ClusterObject,
  facts: NetworkFacts,
  needed: NeededFacts,
  evaluate: { value(expression: Expression): CelValue; render(template: Template<Expression>, path: DocumentPath): Json | undefined },
): CelValue | undefined {
  const { apiVersion, kind, isOptional } = object;
  const at = [...object.path, 'external'];
  if (object.when !== undefined && evaluate.value(object.when) !== true) return NONE;
  const text = (field: 'name' | 'namespace'): string => {
    const value = object[field] === undefined ? '' : evaluate.render(object[field], [...at, field]);
    if (value !== undefined && typeof value !== 'string') throw new RuleFault(`expected text, found ${typeof value}`, [...at, field]);
    return value ?? '';
  };
  const namespace = text('namespace');
  if (object.selector !== undefined) {
    const selector = evaluate.render(object.selector, [...at, 'selector']) ?? {};
    const query = {
      apiVersion,
      kind,
      ...(namespace === '' ? {} : { namespace }),
      labelSelector: selectorText(selector, [...at, 'selector']),
    };
    needed.reads.queries.push(query);
    const found = facts.objects(query);
    if (found === undefined) needed.needs.queries.push(query);
    return found === undefined ? undefined : isOptional ? some(found as readonly JsonObject[]) : (found as readonly JsonObject[]);
  }
  const name = text('name');
  if (name === '') {
    if (isOptional) return NONE;
    throw new RuleFault(`the name of the ${kind} is empty`, [...at, 'name']);
  }
  const reference = { apiVersion, kind, ...(namespace === '' ? {} : { namespace }), name };
  needed.reads.objects.push(reference);
  const found = facts.object(reference);
  if (found === undefined) needed.needs.objects.push(reference);
  if (found === null) {
    if (isOptional) return NONE;
    const where = namespace === '' ? name : `${namespace}/${name}`;
    throw new RuleFault(`the ${kind} ${where} is not found`, object.path, FAULT_CODES.tryAgainLater);
  }
  return found === undefined ? undefined : isOptional ? some(found) : found;
}

function selectorText(value: Json, path: DocumentPath): string {
  const simple = isJsonObject(value) && !Object.hasOwn(value, 'matchLabels') && !Object.hasOwn(value, 'matchExpressions');
  const read = labelSelectorOf(simple ? { matchLabels: value } : value);
  if (!read.ok) throw new RuleFault(read.message, path);
  return read.selector.text;
}
