import type { Expr } from '../../cel/ast.ts';
import { children } from '../../cel/check/walk.ts';
import type { Activation } from '../../cel/program.ts';
import { CelError, type CelValue, Timestamp } from '../../cel/values.ts';
import type { Json, JsonObject } from '../../object/json.ts';
import { type DocumentPath, formatPath } from '../../text/document.ts';
import { ExpressionBudget } from '../expression-budget.ts';
import type { Expression } from '../expressions.ts';
import { LazyVariables } from '../lazy-variables.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { RuleTemplate } from './entry.ts';
import { operandTypes } from './operand-types.ts';

/** What became of an entry so far. */
export type EntryState =
  /** Left out by `when`: expressions see something empty. */
  | { readonly kind: 'excluded' }
  /** What it stands for is not known or not there yet. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Some of its items are there: enough for status, not for other entries. */
  | { readonly kind: 'partial'; readonly reason: string }
  | { readonly kind: 'present'; readonly ready: boolean; readonly reason: string };

/** Why an expression has no value: something to wait for, something left out, or a mistake. */
export class Unresolved {
  constructor(
    readonly kind: 'waiting' | 'excluded' | 'failed',
    readonly reason: string,
    readonly path: DocumentPath,
  ) {}
}

/** Evaluates the expressions of a rule for one instance. */
export class Evaluation {
  readonly states = new Map<string, EntryState>();
  readonly #rule: CompiledRule;
  readonly #activation: Record<string, CelValue | undefined>;
  readonly #variables: LazyVariables;
  readonly #sensitive: ReadonlySet<string>;
  readonly #budget = new ExpressionBudget('the rule uses more than one reconciliation may cost');

  constructor(rule: CompiledRule, instance: JsonObject, now: number) {
    this.#rule = rule;
    // Expressions are asked only when what their variables read is settled.
    this.#variables = new LazyVariables('reconcile', rule.variables, (expression) => this.#run(expression, this.#activation));
    const activation: Record<string, CelValue | undefined> = Object.create(null);
    activation[rule.source.instanceVariable] = instance;
    activation['params'] = rule.params;
    activation['now'] = new Timestamp(Math.floor(now / 1000), (((now % 1000) + 1000) % 1000) * 1_000_000);
    activation['variables'] = this.#variables;
    this.#activation = activation;
    this.#sensitive = new Set(rule.entries.filter(({ sensitive }) => sensitive).map(({ id }) => id));
  }

  /** Says what became of an entry, and what expressions see of it. */
  settle(id: string, state: EntryState, value: CelValue | undefined): void {
    this.states.set(id, state);
    this.#activation[id] = value;
  }

  /**
   * The value of an expression; throws {@link Unresolved} where there is none. `partial`: entries of which some items are there
   * are good enough.
   */
  evaluate(expression: Expression, locals?: Readonly<Record<string, CelValue>>, partial = false): CelValue {
    for (const id of expression.ids) {
      const state = this.states.get(id);
      if (locals !== undefined && Object.hasOwn(locals, id)) continue;
      if (state === undefined) throw new Unresolved('waiting', `${id} is not known yet`, expression.path);
      if (state.kind === 'unknown' || (state.kind === 'partial' && !partial))
        throw new Unresolved('waiting', state.reason, expression.path);
    }
    const activation = locals === undefined ? this.#activation : Object.assign(Object.create(null), this.#activation, locals);
    try {
      return this.#run(expression, activation);
    } catch (error) {
      if (error instanceof CelError) throw this.#explain(expression, activation, error);
      throw error;
    }
  }

  /** Renders a template; throws {@link Unresolved} where that can't be done. */
  render(template: RuleTemplate, locals?: Readonly<Record<string, CelValue>>, partial = false): Json | undefined {
    try {
      return template.template.render((expression) => this.evaluate(expression, locals, partial));
    } catch (error) {
      if (error instanceof CelError) throw new Unresolved('failed', error.message, template.path);
      throw error;
    }
  }

  #run(expression: Expression, activation: Activation): CelValue {
    return this.#budget.run(expression.program, activation);
  }

  #explain(expression: Expression, activation: Activation, error: CelError): Unresolved {
    const secret = expression.ids.some((id) => this.#sensitive.has(id));
    const { message } = error;
    const missing = MISSING.test(message);
    const root = error.nodeId === undefined ? undefined : rootOf(expression.program.ast.root, error.nodeId);
    const own = root === this.#rule.source.instanceVariable || root === 'params';
    if (missing && !own && expression.ids.length > 0) {
      const absent = expression.ids.find((id) => this.states.get(id)?.kind === 'excluded');
      if (absent !== undefined && (root === undefined || root === absent || activation[root] === undefined)) {
        return new Unresolved('excluded', `${absent} is left out`, expression.path);
      }
      const what = root !== undefined && expression.ids.includes(root) ? root : expression.ids.join(', ');
      return new Unresolved('waiting', `${what} has no such field yet: ${secret ? formatPath(expression.path) : message}`, expression.path);
    }
    if (secret && !missing) return new Unresolved('failed', 'the expression failed; its values are secret', expression.path);
    return new Unresolved('failed', MISFIT.test(message) ? `${message}${this.#given(expression, error)}` : message, expression.path);
  }

  /** Which fields of the instance an operation could not do with. */
  #given({ program }: Expression, { nodeId }: CelError): string {
    const variable = this.#rule.source.instanceVariable;
    const node = nodeId === undefined ? undefined : find(program.ast.root, nodeId);
    const types = operandTypes(node, variable, this.#activation[variable] as JsonObject);
    return types === '' ? '' : `: ${types}; correct the instance, or have the rule test the type`;
  }
}

/** Errors of data that is not there, as against data that is wrong. */
const MISSING = /no such key|no such field|index out of bounds|index out of range|optional\.none\(\) dereference/;

/** Errors of values that are of another type than an operation takes. */
const MISFIT = /no such overload|type conversion|unsupported/;

/** Name at the root of the selections that end at a node: `a` for `a.b[0].c`. */
function rootOf(root: Expr, nodeId: number): string | undefined {
  let found = find(root, nodeId);
  while (found !== undefined) {
    if (found.kind === 'ident') return found.name;
    if (found.kind === 'select') found = found.operand;
    else if (found.kind === 'call' && (found.fn === '_[_]' || found.fn === '_?._' || found.fn === '_[?_]')) found = found.args[0];
    else if (found.kind === 'call' && found.target !== undefined) found = found.target;
    else return undefined;
  }
  return undefined;
}

function find(expr: Expr, id: number): Expr | undefined {
  if (expr.id === id) return expr;
  for (const child of children(expr)) {
    const found = find(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}
