import { isCelIdentifier } from '../../cel/identifier.ts';
import { BOOL, type CelType, DYN, INT, object, STRING } from '../../cel/types.ts';
import { loopTypes } from '../../object/for-each.ts';
import { isJsonObject, type JsonObject, ownValue } from '../../object/json.ts';
import type { MapSchema } from '../../object/schema.ts';
import { suggest } from '../../text/suggest.ts';
import type { Expression, ExpressionCompiler } from '../expressions.ts';
import type { KnownKind } from '../kinds.ts';
import type { Reporter } from '../reporter.ts';
import { CALL_TYPE } from './call-type.ts';
import type { RuleExpression } from './compiled-rule.ts';
import type { Entry, EntryBase, EntryContent, HttpTemplate, Loop, ReadinessRule, RuleTemplate, SecretPlace } from './entry.ts';
import type { Edge } from './order.ts';
import { kindOfTemplate, type RuleScope } from './rule-scope.ts';
import type { EntrySource, ExpressionSource, HttpSource, ReadinessSource, RuleSource, SecretSource, TemplateSource } from './source.ts';
import { compileRuleTemplate } from './template-compiler.ts';

/** Compiles the entries of a rule, and notes which refer to which. */
export class EntryCompiler {
  readonly #report: Reporter;
  readonly #source: RuleSource;
  readonly #scope: RuleScope;
  readonly #compiler: ExpressionCompiler;
  readonly #edges = new Map<string, Edge[]>();
  readonly #expressions: RuleExpression[] = [];

  constructor(report: Reporter, source: RuleSource, scope: RuleScope, compiler: ExpressionCompiler) {
    this.#report = report;
    this.#source = source;
    this.#scope = scope;
    this.#compiler = compiler;
  }

  /** By id, what entries compiled so far refer to. */
  get edges(): ReadonlyMap<string, readonly Edge[]> {
    return this.#edges;
  }

  /** Every expression of the entries compiled so far. */
  get expressions(): readonly RuleExpression[] {
    return this.#expressions;
  }

  /** Undefined when something is wrong with it, which is reported. */
  compile(source: EntrySource): Entry | undefined {
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
    const kind = entry.kind === 'external' ? entry.objectKind : kindOfTemplate(entry.template)?.kind;
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
        const kind = kindOfTemplate(source.template);
        const known = this.#scope.kinds.get(source.id);
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
        const { namespaced } = this.#scope.kinds.get(source.id) ?? { namespaced: undefined };
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
    const one = { ...locals, [source.variable]: this.#scope.typeOf(this.#scope.kinds.get(entry.id)?.schema) };
    const expressions = source.expressions.map((each) => {
      const expression = this.#compiler.compile(each, one, { resultTypes: [BOOL, DYN] });
      this.#refer(entry, expression, source.variable);
      return expression;
    });
    return expressions.every((each) => each !== undefined) ? { kind: 'expressions', expressions, variable: source.variable } : undefined;
  }

  /** Notes what an expression of an entry refers to. */
  #refer(entry: EntrySource, expression: Expression | undefined, except?: string): void {
    if (expression === undefined) return;
    this.#expressions.push({ entry: entry.id, expression, ...(except === undefined ? {} : { local: except }) });
    const edges = this.#edges.get(entry.id) ?? [];
    for (const to of expression.ids) if (to !== except) edges.push({ to, path: expression.path });
    this.#edges.set(entry.id, edges);
  }
}
