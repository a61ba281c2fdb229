import { CelError, type CelValue } from '../../cel/values.ts';
import type { Json } from '../../object/json.ts';
import type { Template } from '../../object/template.ts';
import type { DocumentPath } from '../../text/document.ts';
import { ExpressionBudget } from '../expression-budget.ts';
import type { Expression, Variable } from '../expressions.ts';
import { LazyVariables } from '../lazy-variables.ts';
import { FAULT_CODES } from './protocol/fault.ts';

/** Something of a rule failed; the path is one of its document. Becomes a CNI error. */
export class RuleFault extends Error {
  override readonly name = 'RuleFault';
  readonly path: DocumentPath;
  readonly code: number;
  constructor(message: string, path: DocumentPath, code: number = FAULT_CODES.expressionFailed) {
    super(message);
    this.path = path;
    this.code = code;
  }
}

/** Evaluates the expressions of a rule for one request. */
export class Evaluation {
  readonly #activation: Record<string, CelValue | undefined>;
  readonly #budget = new ExpressionBudget('the rule uses more than one attachment may cost');
  readonly #secretIds: ReadonlySet<string>;
  #last: { readonly locals: object; readonly activation: Readonly<Record<string, CelValue | undefined>> } | undefined;

  /** `values`: variables by name. `secretIds`: those whose values are not for messages. */
  constructor(variables: ReadonlyMap<string, Variable>, values: Readonly<Record<string, CelValue>>, secretIds: ReadonlySet<string>) {
    const activation: Record<string, CelValue | undefined> = Object.assign(Object.create(null), values);
    activation['variables'] = new LazyVariables('network', variables, ({ program }) => this.#budget.run(program, this.#activation));
    this.#activation = activation;
    this.#secretIds = secretIds;
  }

  /** Says what an id stands for. */
  settle(id: string, value: CelValue): void {
    this.#activation[id] = value;
  }

  /** The value of an expression; throws a {@link CelError} whose message has nothing secret in it. */
  run(expression: Expression, locals?: Readonly<Record<string, CelValue>>): CelValue {
    const activation = this.#with(locals);
    try {
      return this.#budget.run(expression.program, activation);
    } catch (error) {
      if (error instanceof CelError && expression.ids.some((id) => this.#secretIds.has(id)))
        throw new CelError('the expression failed; its values are secret');
      throw error;
    }
  }

  /** The activation with locals on top: one for all expressions of a step. */
  #with(locals: Readonly<Record<string, CelValue>> | undefined): Readonly<Record<string, CelValue | undefined>> {
    if (locals === undefined) return this.#activation;
    if (this.#last?.locals !== locals) this.#last = { locals, activation: Object.assign(Object.create(null), this.#activation, locals) };
    return this.#last.activation;
  }

  /** The value of an expression; throws a {@link RuleFault}. */
  value(expression: Expression, locals?: Readonly<Record<string, CelValue>>): CelValue {
    return orRuleFault(() => this.run(expression, locals), expression.path);
  }

  /** Renders a template that stands at `path`; throws a {@link RuleFault}. */
  render(template: Template<Expression>, path: DocumentPath, locals?: Readonly<Record<string, CelValue>>): Json | undefined {
    return orRuleFault(() => template.render((expression) => this.value(expression, locals)), path);
  }
}

function orRuleFault<T>(run: () => T, path: DocumentPath): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CelError) throw new RuleFault(error.message, path);
    throw error;
  }
}
