import { identifierHint, isCelIdentifier } from '../../cel/identifier.ts';
import { type CelType, DYN, listOf, object, STRING, TIMESTAMP, type TypeProvider } from '../../cel/types.ts';
import { type JsonObject, ownValue } from '../../object/json.ts';
import type { MapSchema } from '../../object/schema.ts';
import { createSchemaTypes, type SchemaTypes } from '../../object/schema-types.ts';
import { hasExpression } from '../../object/template-text.ts';
import { ExpressionCompiler, structOf } from '../expressions.ts';
import { type KnownKind, lookUpKind, reportUnknownKind } from '../kinds.ts';
import type { Reporter } from '../reporter.ts';
import { CALL_TYPE, CALL_TYPES } from './call-type.ts';
import type { ReconcileContext } from './compiled-rule.ts';
import type { EntrySource, RuleSource } from './source.ts';

/** Names that expressions have for something else. */
const RESERVED = new Set(
  'self schema params variables now item index key int uint double string bool bytes list map type dyn null_type timestamp duration optional optional_type strings sets lists math hash base64 json x509 quantity semver ip cidr url format net google kubernetes'.split(
    ' ',
  ),
);

/** The names that expressions of a rule may use, and their types: known before any of them is compiled. */
export class RuleScope {
  readonly #report: Reporter;
  readonly #source: RuleSource;
  readonly #context: ReconcileContext;
  readonly #schemaTypes: SchemaTypes;
  /** What is known of the kinds of entries, by id. */
  readonly kinds = new Map<string, KnownKind>();

  constructor(report: Reporter, source: RuleSource, context: ReconcileContext) {
    this.#report = report;
    this.#source = source;
    this.#context = context;
    // kro's expressions ask of a time whether it is null.
    this.#schemaTypes = createSchemaTypes('values', { dynTimestamps: source.ruleKind === 'ResourceGraphDefinition' });
  }

  /** Whether every id can be told from the others. */
  checkIds(): boolean {
    const { hasErrors } = this.#report;
    const seen = new Set<string>();
    for (const { id, path } of this.#source.entries) {
      const at = [...path, 'id'];
      if (!isCelIdentifier(id)) {
        this.#report.error(at, 'reconcile-id', `the id ${JSON.stringify(id)} can't be used in expressions`, identifierHint(id, 'config'));
      } else if (this.#isReserved(id)) {
        this.#report.error(at, 'reconcile-id', `the id ${id} has a meaning of its own in expressions`, 'choose another one');
      } else if (seen.has(id)) this.#report.error(at, 'reconcile-duplicate', `there is another entry with the id ${id}`);
      seen.add(id);
    }
    return hasErrors || !this.#report.hasErrors;
  }

  /** kro has reserved words of its own. */
  #isReserved(id: string): boolean {
    return this.#source.ruleKind === 'ReconcileRule' && RESERVED.has(id);
  }

  expressionCompiler(): ExpressionCompiler {
    const { instance, instanceVariable, entries } = this.#source;
    const { params, types } = this.#context;
    const known = lookUpKind(types, instance.apiVersion, instance.kind);
    if (known.schema === undefined && instance.decorated) {
      reportUnknownKind(this.#report, types, ['spec', 'for', 'kind'], instance.apiVersion, instance.kind);
    }
    const variables: Record<string, CelType> = { [instanceVariable]: this.typeOf(known.schema), now: TIMESTAMP };
    if (params !== undefined) variables['params'] = params.type;
    const structs = new Map<string, TypeProvider>();
    for (const entry of entries) {
      if (!isCelIdentifier(entry.id) || this.#isReserved(entry.id)) continue;
      const single = this.#entryType(entry, structs);
      const repeats = entry.loops.length > 0 || (entry.kind === 'external' && entry.selector !== undefined);
      variables[entry.id] = repeats ? listOf(single) : single;
    }
    const ids = new Set(entries.map(({ id }) => id));
    const jsonVariables = new Set([instanceVariable, 'params']);
    for (const { id, kind } of entries) if (kind === 'template' || kind === 'patch' || kind === 'external') jsonVariables.add(id);
    return new ExpressionCompiler(this.#report, {
      room: 'reconcile',
      environment: this.#context.environment,
      variables,
      types: [CALL_TYPES, this.#schemaTypes, ...structs.values(), ...(params === undefined ? [] : [params.types])],
      ids,
      jsonVariables,
    });
  }

  typeOf(schema: MapSchema | undefined): CelType {
    return schema === undefined ? DYN : (this.#schemaTypes.typeOf(schema) ?? DYN);
  }

  /** The type of one object, or of what else an entry stands for. */
  #entryType(entry: EntrySource, structs: Map<string, TypeProvider>): CelType {
    switch (entry.kind) {
      case 'template':
      case 'patch': {
        const kind = kindOfTemplate(entry.template);
        if (kind === undefined) return DYN;
        const known = lookUpKind(this.#context.types, kind.apiVersion, kind.kind);
        this.kinds.set(entry.id, known);
        if (known.schema === undefined)
          reportUnknownKind(this.#report, this.#context.types, [...entry.template.path, 'kind'], kind.apiVersion, kind.kind);
        return this.typeOf(known.schema);
      }
      case 'external': {
        const known = lookUpKind(this.#context.types, entry.apiVersion, entry.objectKind);
        this.kinds.set(entry.id, known);
        if (known.schema === undefined)
          reportUnknownKind(this.#report, this.#context.types, [...entry.path, 'external', 'kind'], entry.apiVersion, entry.objectKind);
        return this.typeOf(known.schema);
      }
      case 'call':
        return object(CALL_TYPE);
      case 'random': {
        const name = `reconcile.Random.${entry.id}`;
        const struct = structOf(name, { value: STRING, [entry.valueKey]: STRING, secretName: STRING });
        structs.set(name, { structType: (asked) => (asked === name ? struct : undefined) });
        return object(name);
      }
      case 'x509': {
        const name = 'reconcile.Certificate';
        const struct = structOf(name, { crt: STRING, key: STRING, ca: STRING, notAfter: TIMESTAMP, secretName: STRING });
        structs.set(name, { structType: (asked) => (asked === name ? struct : undefined) });
        return object(name);
      }
    }
  }
}

/** Kind of a template's objects, where it is written out. */
export function kindOfTemplate({
  value,
}: {
  readonly value: JsonObject;
}): { readonly apiVersion: string; readonly kind: string } | undefined {
  const [apiVersion, kind] = [ownValue(value, 'apiVersion'), ownValue(value, 'kind')];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || hasExpression(apiVersion) || hasExpression(kind)) return undefined;
  return { apiVersion, kind };
}
