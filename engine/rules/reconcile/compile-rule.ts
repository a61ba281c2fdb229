import type { Environment } from '../../cel/environment.ts';
import { BOOL, type CelType, DYN, INT, listOf, object, STRING, TIMESTAMP, type TypeProvider } from '../../cel/types.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../object/json.ts';
import type { MapSchema } from '../../object/schema.ts';
import { createSchemaTypes, type SchemaTypes } from '../../object/schema-types.ts';
import type { TypeTable } from '../../object/type-table.ts';
import type { DocumentPath } from '../../text/document.ts';
import { suggest } from '../../text/suggest.ts';
import { isCelIdentifier } from '../cel-identifier.ts';
import type { Reporter } from '../reporter.ts';
import type { Entry, EntryBase, EntryContent, HttpTemplate, Loop, ReadinessRule, RuleTemplate, SecretPlace } from './entry.ts';
import { CALL_TYPE, type Expression, ExpressionCompiler, loopTypes, structOf, type Variable } from './expressions.ts';
import { type KnownKind, lookUpKind, reportUnknownKind } from './kinds.ts';
import { type Edge, orderByReferences } from './order.ts';
import type { EntrySource, ExpressionSource, HttpSource, ReadinessSource, RuleSource, SecretSource, TemplateSource } from './source.ts';
import { compileStatus, type StatusTemplate } from './status.ts';
import { compileRuleTemplate } from './template-compiler.ts';
import { checkTemplateFields, hasExpression } from './template-types.ts';

/** What compiling a rule may use; the same for all rules of a bundle. */
export interface ReconcileContext {
  /** Kubernetes' language with our own libraries, without variables. */
  readonly environment: Environment;
  /** Types of the kinds there are, those that rules of the bundle make included. */
  readonly types?: TypeTable | undefined;
  /** The parameters of the bundle: their value, and the type that expressions see. */
  readonly params?: { readonly value: JsonObject; readonly type: CelType; readonly types: TypeProvider } | undefined;
}

export interface CompiledCondition {
  readonly type: string;
  readonly expression: Expression;
  readonly reason: RuleTemplate | undefined;
  readonly message: RuleTemplate | undefined;
}

/** A rule ready for the executor. */
export interface CompiledRule {
  readonly source: RuleSource;
  readonly params: JsonObject;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Each after those it refers to. */
  readonly entries: readonly Entry[];
  readonly status: StatusTemplate | undefined;
  readonly conditions: readonly CompiledCondition[];
  readonly requeueAfter: RuleTemplate | undefined;
  /** Every expression of the rule, by the entry it belongs to; `undefined` for those of the rule itself. */
  readonly expressions: readonly { readonly entry: string | undefined; readonly expression: Expression; readonly local?: string }[];
}

/** Names that expressions have for something else. */
const RESERVED = new Set(
  'self schema params variables now item index key int uint double string bool bytes list map type dyn null_type timestamp duration optional optional_type strings sets lists math hash base64 json x509 quantity semver ip cidr url format net google kubernetes'.split(
    ' ',
  ),
);

/** Checks and compiles one rule. Reports everything that is wrong; undefined when something is. */
export function compileRule(report: Reporter, source: RuleSource, context: ReconcileContext): CompiledRule | undefined {
  return new RuleCompiler(report, source, context).compile();
}

class RuleCompiler {
  readonly #report: Reporter;
  readonly #source: RuleSource;
  readonly #context: ReconcileContext;
  readonly #kinds = new Map<string, KnownKind>();
  readonly #schemaTypes: SchemaTypes;
  readonly #edges = new Map<string, Edge[]>();
  readonly #expressions: { entry: string | undefined; expression: Expression; local?: string }[] = [];
  #compiler!: ExpressionCompiler;

  constructor(report: Reporter, source: RuleSource, context: ReconcileContext) {
    this.#report = report;
    this.#source = source;
    this.#context = context;
    // kro's expressions ask of a time whether it is null.
    this.#schemaTypes = createSchemaTypes('values', { dynTimestamps: source.ruleKind === 'ResourceGraphDefinition' });
  }

  compile(): CompiledRule | undefined {
    const source = this.#source;
    const named = this.#checkIds();
    this.#compiler = this.#expressionCompiler();
    this.#declareVariables();
    const compiled = source.entries.map((entry) => this.#entry(entry));
    this.#checkNames();
    const ordered = named ? this.#order() : undefined;
    const conditions = source.conditions.map((condition, index) => this.#condition(condition, index));
    const status = this.#status();
    const requeueAfter = this.#requeueAfter();
    if (this.#report.hasErrors || ordered === undefined) return undefined;
    const byId = new Map(compiled.map((entry) => [entry!.id, entry!]));
    const entries = ordered.ids.map((id): Entry => ({ ...byId.get(id)!, level: ordered.levels.get(id)! }));
    return {
      source,
      params: this.#context.params?.value ?? {},
      variables: this.#compiler.variables,
      entries,
      status,
      conditions: conditions as readonly CompiledCondition[],
      requeueAfter,
      expressions: this.#expressions,
    };
  }

  /** Whether every id can be told from the others. */
  #checkIds(): boolean {
    const { hasErrors } = this.#report;
    const seen = new Set<string>();
    for (const { id, path } of this.#source.entries) {
      const at = [...path, 'id'];
      if (!isCelIdentifier(id)) {
        const hint = `letters, digits and _, as ${id.replace(/[^A-Za-z0-9_]+(.?)/g, (_all, next: string) => next.toUpperCase()) || 'config'}`;
        this.#report.error(at, 'reconcile-id', `the id ${JSON.stringify(id)} can't be used in expressions`, hint);
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

  #expressionCompiler(): ExpressionCompiler {
    const { instance, instanceVariable, entries } = this.#source;
    const { params, types } = this.#context;
    const known = lookUpKind(types, instance.apiVersion, instance.kind);
    if (known.schema === undefined && instance.decorated) {
      reportUnknownKind(this.#report, types, ['spec', 'for', 'kind'], instance.apiVersion, instance.kind);
    }
    const variables: Record<string, CelType> = { [instanceVariable]: this.#typeOf(known.schema) };
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
      environment: this.#context.environment,
      variables,
      types: [this.#schemaTypes, ...structs.values(), ...(params === undefined ? [] : [params.types])],
      ids,
      jsonVariables,
    });
  }

  #typeOf(schema: MapSchema | undefined): CelType {
    return schema === undefined ? DYN : (this.#schemaTypes.typeOf(schema) ?? DYN);
  }

  /** The type of one object, or of what else an entry stands for. */
  #entryType(entry: EntrySource, structs: Map<string, TypeProvider>): CelType {
    switch (entry.kind) {
      case 'template':
      case 'patch': {
        const kind = this.#templateKind(entry.template);
        if (kind === undefined) return DYN;
        const known = lookUpKind(this.#context.types, kind.apiVersion, kind.kind);
        this.#kinds.set(entry.id, known);
        if (known.schema === undefined)
          reportUnknownKind(this.#report, this.#context.types, [...entry.template.path, 'kind'], kind.apiVersion, kind.kind);
        return this.#typeOf(known.schema);
      }
      case 'external': {
        const known = lookUpKind(this.#context.types, entry.apiVersion, entry.objectKind);
        this.#kinds.set(entry.id, known);
        if (known.schema === undefined)
          reportUnknownKind(this.#report, this.#context.types, [...entry.path, 'external', 'kind'], entry.apiVersion, entry.objectKind);
        return this.#typeOf(known.schema);
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

  /** Kind of a template's objects, where it is written out. */
  #templateKind({ value }: { readonly value: JsonObject }): { readonly apiVersion: string; readonly kind: string } | undefined {
    const [apiVersion, kind] = [ownValue(value, 'apiVersion'), ownValue(value, 'kind')];
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || hasExpression(apiVersion) || hasExpression(kind)) return undefined;
    return { apiVersion, kind };
  }

  #declareVariables(): void {
    for (const { name, namePath, expression } of this.#source.variables) {
      if (!isCelIdentifier(name))
        this.#report.error(namePath, 'reconcile-id', `the name ${JSON.stringify(name)} can't be used in expressions`);
      else if (this.#compiler.variables.has(name))
        this.#report.error(namePath, 'reconcile-duplicate', `there is another variable called ${name}`);
      const found = this.#compiler.declare(name, expression);
      if (found !== undefined) this.#expressions.push({ entry: undefined, expression: found.expression });
    }
  }

  /** Notes what an expression of an entry refers to. */
  #refer(entry: EntrySource, expression: Expression | undefined, except?: string): void {
    if (expression === undefined) return;
    this.#expressions.push({ entry: entry.id, expression, ...(except === undefined ? {} : { local: except }) });
    const edges = this.#edges.get(entry.id) ?? [];
    for (const to of expression.ids) if (to !== except) edges.push({ to, path: expression.path });
    this.#edges.set(entry.id, edges);
  }

  #entry(source: EntrySource): Entry | undefined {
    this.#edges.set(source.id, this.#edges.get(source.id) ?? []);
    const when = source.when.map((each) => this.#expression(source, each, undefined, [BOOL, DYN]));
    const { loops, locals } = this.#loops(source);
    const key = source.key === undefined ? undefined : this.#expression(source, source.key, locals, [STRING, INT, DYN]);
    for (const { id, path } of source.after) {
      if (!this.#source.entries.some((entry) => entry.id === id)) {
        const near = suggest(
          id,
          this.#source.entries.map((entry) => entry.id),
        );
        this.#report.error(path, 'reconcile-unknown-id', `there is no entry with the id ${id}`, near && `did you mean ${near}?`);
      }
      this.#edges.get(source.id)!.push({ to: id, path });
    }
    const specific = this.#specific(source, locals);
    if (specific === undefined || loops === undefined) return undefined;
    const dependencies = [...new Set(this.#edges.get(source.id)!.map(({ to }) => to))];
    const base: EntryBase = {
      id: source.id,
      path: source.path,
      when: when as readonly Expression[],
      loops,
      key,
      looseKeys: source.looseKeys,
      dependencies,
      waitFor: source.waitFor,
      level: 0,
      sensitive: this.#isSensitive(source),
    };
    return { ...base, ...specific } as Entry;
  }

  #isSensitive(entry: EntrySource): boolean {
    if (entry.kind === 'random' || entry.kind === 'x509' || entry.kind === 'call') return true;
    const kind = entry.kind === 'external' ? entry.objectKind : this.#templateKind(entry.template)?.kind;
    return kind === undefined || kind === 'Secret';
  }

  #expression(
    entry: EntrySource,
    source: ExpressionSource,
    locals: Readonly<Record<string, CelType>> | undefined,
    resultTypes?: readonly CelType[],
  ): Expression | undefined {
    const expression = this.#compiler.compile(source, locals, resultTypes === undefined ? {} : { resultTypes });
    this.#refer(entry, expression);
    return expression;
  }

  #loops(source: EntrySource): { readonly loops: readonly Loop[] | undefined; readonly locals: Record<string, CelType> | undefined } {
    if (source.loops.length === 0) return { loops: [], locals: undefined };
    const locals: Record<string, CelType> = {};
    const loops: Loop[] = [];
    let failed = false;
    for (const { variable, range } of source.loops) {
      if (!isCelIdentifier(variable))
        this.#report.error(range.path, 'reconcile-id', `the name ${JSON.stringify(variable)} can't be used in expressions`);
      const expression = this.#expression(source, range, { ...locals });
      const type = expression?.program.ast.resultType ?? DYN;
      const types = loopTypes(type);
      if (expression === undefined) failed = true;
      if (types === undefined) {
        this.#report.error(range.path, 'reconcile-for-each', `forEach needs a list or a map, found ${type.kind}`);
        failed = true;
      }
      const item = types?.item ?? DYN;
      if (types !== undefined && expression !== undefined && source.key === undefined && !source.looseKeys)
        this.#checkItemKey(range, item, type);
      locals[variable] = item;
      if (source.loopKeys) {
        if (type.kind !== 'map' && type.kind !== 'object') locals['index'] = INT;
        if (type.kind !== 'list') locals['key'] = types?.key ?? DYN;
      }
      if (expression !== undefined) loops.push({ variable, range: expression, keys: source.loopKeys });
    }
    return { loops: failed ? undefined : loops, locals };
  }

  /** Items of a list move when one before them goes: what makes them themselves must be said. */
  #checkItemKey(range: ExpressionSource, item: CelType, type: CelType): void {
    if (type.kind !== 'list' || ['string', 'int', 'bool', 'dyn'].includes(item.kind)) return;
    const hint = 'say by what with key, as key: item.name';
    this.#report.error(
      range.path,
      'reconcile-for-each-key',
      'the items are structures, and nothing tells them apart but their position',
      hint,
    );
  }

  #specific(source: EntrySource, locals: Record<string, CelType> | undefined): EntryContent | undefined {
    switch (source.kind) {
      case 'template':
      case 'patch': {
        const kind = this.#templateKind(source.template);
        const known = this.#kinds.get(source.id);
        this.#checkIdentity(source.template, known);
        const target = known?.schema && { schema: known.schema, kind: kind!.kind, required: source.kind === 'template' };
        const template = this.#template(source, source.template, locals, target);
        const ready = this.#readiness(source, source.ready, locals);
        if (template === undefined || ready === undefined) return undefined;
        const { deletion, adopt, force, ignore, onImmutable } = source;
        return {
          kind: source.kind,
          template,
          objectKind: kind,
          namespaced: known?.namespaced,
          ready,
          deletion: deletion ?? this.#source.deletion,
          adopt,
          force,
          ignore,
          onImmutable,
        };
      }
      case 'external': {
        const { apiVersion, objectKind, allNamespaces, optional } = source;
        if ((source.name === undefined) === (source.selector === undefined)) {
          this.#report.error([...source.path, 'external'], 'reconcile-external', 'expected exactly one of name and selector');
          return undefined;
        }
        const [name, namespace, selector] = [source.name, source.namespace, source.selector].map((each) =>
          this.#optionalTemplate(source, each, locals),
        );
        const ready = this.#readiness(source, source.ready, locals);
        if (ready === undefined) return undefined;
        const { namespaced } = this.#kinds.get(source.id) ?? { namespaced: undefined };
        return { kind: 'external', apiVersion, objectKind, namespaced, name, namespace, selector, allNamespaces, optional, ready };
      }
      case 'random': {
        const { valueKey, length, alphabet } = source;
        return { kind: 'random', secret: this.#secret(source, source.secret, locals), valueKey, length, alphabet };
      }
      case 'x509': {
        const { isCA, algorithm, rotateKey, usages } = source;
        const subject = this.#template(source, source.subject, locals);
        const secret = this.#secret(source, source.secret, locals);
        return subject && { kind: 'x509', secret, subject, isCA, algorithm, rotateKey, usages };
      }
      case 'call': {
        const http = this.#http(source, source.http, locals);
        const undo =
          source.undo === undefined ? undefined : this.#http(source, source.undo, { ...locals, [source.id]: object(CALL_TYPE) }, source.id);
        const idempotencyKey = this.#optionalTemplate(source, source.idempotencyKey, locals);
        const refresh = this.#optionalTemplate(source, source.refresh, locals);
        return http && { kind: 'call', http, undo, idempotencyKey, refresh };
      }
    }
  }

  #checkIdentity(source: TemplateSource & { readonly value: JsonObject }, known: KnownKind | undefined): void {
    const { path, value } = source;
    for (const field of ['apiVersion', 'kind'] as const) {
      if (typeof value[field] !== 'string' || value[field] === '')
        this.#report.error(path, 'reconcile-template', `the template has no ${field}`);
    }
    const metadata = ownValue(value, 'metadata');
    if (typeof metadata === 'string') return;
    const fields = isJsonObject(metadata) ? metadata : {};
    if (ownValue(fields, 'name') === undefined || fields['name'] === '') {
      const generate = ownValue(fields, 'generateName') !== undefined;
      const hint = generate ? 'a name that the server makes up would be another one every time' : 'as name: ${self.metadata.name}';
      this.#report.error(
        isJsonObject(metadata) ? [...path, 'metadata'] : path,
        'reconcile-template',
        'the template has no metadata.name',
        hint,
      );
    }
    if (known?.namespaced === false && ownValue(fields, 'namespace') !== undefined) {
      this.#report.error(
        [...path, 'metadata', 'namespace'],
        'reconcile-template',
        `objects of the kind ${String(value['kind'])} are in no namespace`,
      );
    }
    if (known?.namespaced === true && this.#source.instance.namespaced === false && ownValue(fields, 'namespace') === undefined) {
      const message = 'the template has no metadata.namespace, and the instance is in none';
      this.#report.error(isJsonObject(metadata) ? [...path, 'metadata'] : path, 'reconcile-template', message);
    }
  }

  /** Two entries that always make the same object fight over it. Those that both have conditions may exclude each other. */
  #checkNames(): void {
    const seen = new Map<string, EntrySource>();
    for (const entry of this.#source.entries) {
      if (entry.kind !== 'template' || entry.loops.length > 0) continue;
      const kind = this.#templateKind(entry.template);
      const metadata = ownValue(entry.template.value, 'metadata');
      if (kind === undefined || !isJsonObject(metadata) || typeof metadata['name'] !== 'string') continue;
      const key = JSON.stringify([kind, metadata['name'], metadata['namespace']]);
      const other = seen.get(key);
      if (other === undefined) seen.set(key, entry);
      else if (other.id !== entry.id && (entry.when.length === 0 || other.when.length === 0)) {
        const message = `the ${kind.kind} ${metadata['name']} is made by ${other.id}, too`;
        this.#report.error([...entry.template.path, 'metadata', 'name'], 'reconcile-duplicate', message, 'give one of them another name');
      }
    }
  }

  #template(
    entry: EntrySource,
    source: TemplateSource,
    locals: Record<string, CelType> | undefined,
    target?: { readonly schema: MapSchema; readonly kind: string; readonly required: boolean },
    except?: string,
  ): RuleTemplate | undefined {
    const onExpression = (expression: Expression) => this.#refer(entry, expression, except);
    return compileRuleTemplate(this.#report, this.#compiler, source, { locals, target, onExpression });
  }

  #optionalTemplate(
    entry: EntrySource,
    source: TemplateSource | undefined,
    locals: Record<string, CelType> | undefined,
  ): RuleTemplate | undefined {
    return source === undefined ? undefined : this.#template(entry, source, locals);
  }

  #secret(entry: EntrySource, { name, namespace }: SecretSource, locals: Record<string, CelType> | undefined): SecretPlace {
    return { name: this.#optionalTemplate(entry, name, locals), namespace: this.#optionalTemplate(entry, namespace, locals) };
  }

  #http(entry: EntrySource, source: HttpSource, locals: Record<string, CelType> | undefined, except?: string): HttpTemplate | undefined {
    const { method, timeout, expect } = source;
    const content = this.#template(entry, source.content, locals, undefined, except);
    return content && { content, method, timeout, expect };
  }

  #readiness(entry: EntrySource, source: ReadinessSource, locals: Record<string, CelType> | undefined): ReadinessRule | undefined {
    if (source.kind !== 'expressions') return source;
    const one = { ...locals, [source.variable]: this.#typeOf(this.#kinds.get(entry.id)?.schema) };
    const expressions = source.expressions.map((each) => {
      const expression = this.#compiler.compile(each, one, { resultTypes: [BOOL, DYN] });
      this.#refer(entry, expression, source.variable);
      return expression;
    });
    return expressions.every((each) => each !== undefined) ? { kind: 'expressions', expressions, variable: source.variable } : undefined;
  }

  #order() {
    const result = orderByReferences(this.#edges);
    if (result.ok) return result.order;
    const { cycle, edge } = result;
    const [first] = cycle;
    const message = cycle.length === 2 ? `${first} refers to itself` : `the entries refer to each other in a circle: ${cycle.join(' → ')}`;
    const hint = cycle.length === 2 ? 'only ready may read what became of the object' : 'one of them has to do without the other';
    this.#report.error(edge.path, 'reconcile-cycle', message, hint);
    return undefined;
  }

  #status(): StatusTemplate | undefined {
    const { status, instance, declaresStatus } = this.#source;
    if (status === undefined) return undefined;
    const schema = declaresStatus ? lookUpKind(this.#context.types, instance.apiVersion, instance.kind).schema : undefined;
    const target = schema?.fields.get('status')?.schema;
    if (target !== undefined) checkTemplateFields(this.#report, status, target, instance.kind, false);
    for (const field of ['conditions', 'observedGeneration']) {
      if (isJsonObject(status.value) && Object.hasOwn(status.value, field) && declaresStatus !== undefined) {
        const hint = field === 'conditions' ? 'conditions of your own stand in spec.conditions' : undefined;
        this.#report.error([...status.path, field], 'reconcile-status', `${field} is written by Fairlead`, hint);
      }
    }
    return compileStatus(this.#report, this.#compiler, status, {
      onExpression: (expression) => this.#note(expression),
      target: target && { schema: target, kind: instance.kind },
    });
  }

  /** Keeps an expression whose value others read: nothing secret may be in it. */
  #note(expression: Expression): void {
    this.#expressions.push({ entry: undefined, expression });
    const { kind } = expression.program.ast.resultType;
    if (kind === 'bool' || kind === 'int') return;
    const secret = this.#secretRead(expression);
    if (secret === undefined) return;
    const message = `what ${secret} holds is secret, and everybody who may read the instance would read it here`;
    this.#report.error(expression.path, 'reconcile-secret', message, 'tell the name of the Secret instead');
  }

  /** What an expression reads that is secret: values of Secrets, and generated ones that are no certificates. */
  #secretRead(expression: Expression): string | undefined {
    const seen = [expression, ...expression.variables.flatMap((name) => this.#compiler.variables.get(name)?.expression ?? [])];
    for (const { reads } of seen) {
      for (const entry of this.#source.entries) {
        const read = reads.get(entry.id);
        if (read === undefined) continue;
        const fields = secretFields(entry, this.#templateKind.bind(this));
        const elements = entry.loops.length > 0 || (entry.kind === 'external' && entry.selector !== undefined);
        const below = !elements || read === true ? [read] : Object.values(read);
        if (fields.length > 0 && below.some((each) => each === true || fields.some((field) => Object.hasOwn(each, field)))) return entry.id;
      }
    }
    return undefined;
  }

  #condition(source: RuleSource['conditions'][number], index: number): CompiledCondition | undefined {
    const path: DocumentPath = ['spec', 'conditions', index, 'type'];
    if (['Ready', 'Reconciling', 'Stalled'].includes(source.type)) {
      this.#report.error(
        path,
        'reconcile-condition',
        `the condition ${source.type} is made of what became of the objects`,
        'give the condition another type',
      );
    }
    if (this.#source.conditions.findIndex(({ type }) => type === source.type) < index) {
      this.#report.error(path, 'reconcile-duplicate', `there is another condition of the type ${source.type}`);
    }
    const onExpression = (expression: Expression) => this.#note(expression);
    const expression = this.#compiler.compile(source.expression, undefined, { resultTypes: [BOOL, DYN] });
    if (expression !== undefined) onExpression(expression);
    const [reason, message] = [source.reason, source.message].map((each) =>
      each === undefined ? undefined : compileRuleTemplate(this.#report, this.#compiler, each, { onExpression }),
    );
    return expression && { type: source.type, expression, reason, message };
  }

  #requeueAfter(): RuleTemplate | undefined {
    const { requeueAfter } = this.#source;
    if (requeueAfter === undefined) return undefined;
    const onExpression = (expression: Expression, use: 'value' | 'text') => {
      this.#expressions.push({ entry: undefined, expression });
      if (use === 'text') return;
      const { kind } = expression.program.ast.resultType;
      if (!['duration', 'string', 'dyn', 'optional'].includes(kind)) {
        this.#report.error(expression.path, 'reconcile-duration', `requeueAfter is a duration, found ${kind}`, "as duration('5m')");
      }
    };
    return compileRuleTemplate(this.#report, this.#compiler, requeueAfter, { onExpression });
  }
}

/** Fields of what an entry stands for that are not for messages and status. */
function secretFields(
  entry: EntrySource,
  kindOf: (template: { readonly value: JsonObject }) => { readonly kind: string } | undefined,
): readonly string[] {
  switch (entry.kind) {
    case 'random':
      return ['value', entry.valueKey];
    case 'x509':
      return ['key'];
    case 'call':
      return [];
    case 'external':
      return entry.objectKind === 'Secret' ? ['data', 'stringData'] : [];
    case 'template':
    case 'patch':
      return kindOf(entry.template)?.kind === 'Secret' ? ['data', 'stringData'] : [];
  }
}
