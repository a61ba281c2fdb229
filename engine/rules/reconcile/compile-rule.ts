import { isCelIdentifier } from '../../cel/identifier.ts';
import { BOOL, DYN } from '../../cel/types.ts';
import { isJsonObject, ownValue } from '../../object/json.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Expression, ExpressionCompiler } from '../expressions.ts';
import { lookUpKind } from '../kinds.ts';
import type { Reporter } from '../reporter.ts';
import { EntryCompiler } from './compile-entry.ts';
import type { CompiledCondition, CompiledRule, ReconcileContext, RuleExpression } from './compiled-rule.ts';
import type { Entry, RuleTemplate } from './entry.ts';
import { type Edge, type OrderedIds, orderByReferences } from './order.ts';
import { kindOfTemplate, RuleScope } from './rule-scope.ts';
import type { EntrySource, RuleSource } from './source.ts';
import { compileStatus, type StatusTemplate } from './status.ts';
import { compileRuleTemplate } from './template-compiler.ts';
import { checkTemplateFields } from './template-types.ts';

/** Checks and compiles one rule. Reports everything that is wrong; undefined when something is. */
export function compileRule(report: Reporter, source: RuleSource, context: ReconcileContext): CompiledRule | undefined {
  return new RuleCompiler(report, source, context).compile();
}

class RuleCompiler {
  readonly #report: Reporter;
  readonly #source: RuleSource;
  readonly #context: ReconcileContext;
  readonly #expressions: RuleExpression[] = [];
  #compiler!: ExpressionCompiler;

  constructor(report: Reporter, source: RuleSource, context: ReconcileContext) {
    this.#report = report;
    this.#source = source;
    this.#context = context;
  }

  compile(): CompiledRule | undefined {
    const source = this.#source;
    const scope = new RuleScope(this.#report, source, this.#context);
    const named = scope.checkIds();
    this.#compiler = scope.expressionCompiler();
    this.#declareVariables();
    const entryCompiler = new EntryCompiler(this.#report, source, scope, this.#compiler);
    const compiled = source.entries.map((entry) => entryCompiler.compile(entry));
    this.#checkNames();
    const ordered = named ? this.#order(entryCompiler.edges) : undefined;
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
      expressions: [...entryCompiler.expressions, ...this.#expressions],
    };
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

  /** Two entries that always make the same object fight over it. Those that both have conditions may exclude each other. */
  #checkNames(): void {
    const seen = new Map<string, EntrySource>();
    for (const entry of this.#source.entries) {
      if (entry.kind !== 'template' || entry.loops.length > 0) continue;
      const kind = kindOfTemplate(entry.template);
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

  #order(edges: ReadonlyMap<string, readonly Edge[]>): OrderedIds | undefined {
    const result = orderByReferences(edges);
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
        const fields = secretFields(entry);
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
function secretFields(entry: EntrySource): readonly string[] {
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
      return kindOfTemplate(entry.template)?.kind === 'Secret' ? ['data', 'stringData'] : [];
  }
}
