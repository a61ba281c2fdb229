import type { Activation, Meter, Program } from '../../cel/program.ts';
import { CelError, type CelValue, LazyStruct } from '../../cel/values.ts';
import { EXPRESSION_LIMIT } from './budgets.ts';
import { isJsonAtTop } from './json-values.ts';

/** Type name of `variables`, as in Kubernetes. */
export const VARIABLES_TYPE = 'kubernetes.variables';

export interface Variable {
  readonly name: string;
  readonly text: string;
  readonly path: string;
  readonly program: Program;
  /** Expressions read its value in place, as parsed JSON. */
  readonly json: boolean;
}

/** The variables of one policy, in order. */
export interface VariableTable {
  readonly list: readonly Variable[];
  readonly indexByName: ReadonlyMap<string, number>;
}

export function variableTable(list: readonly Variable[]): VariableTable {
  return { list, indexByName: new Map(list.map((variable, index) => [variable.name, index])) };
}

/** A variable turned out not to be what generated code takes it for: the exact back end knows how to go on. */
const NOT_JSON = new CelError('left to the exact back end', 'budget');

/**
 * `variables` for the fast back end: each is computed when first asked for and kept until {@link reset}. One object serves
 * all requests of a policy, because an evaluation never waits.
 */
export class FastVariables extends LazyStruct {
  readonly typeName = VARIABLES_TYPE;
  /** Values and failures by the index of their variable, undefined until computed. Apart, so that a value is read without a test. */
  readonly #values: (CelValue | undefined)[];
  readonly #failures: (CelError | undefined)[];
  readonly #names: readonly string[];
  #activation: Activation | undefined;
  #meter: Meter | undefined;
  #used = false;

  constructor(readonly table: VariableTable) {
    super();
    this.#values = table.list.map(() => undefined);
    this.#failures = table.list.map(() => undefined);
    this.#names = table.list.map(({ name }) => name);
  }

  /** Binds what the variables are computed from. */
  bind(activation: Activation, meter: Meter): void {
    this.#activation = activation;
    this.#meter = meter;
  }

  /** Forgets all values, so that nothing of a request outlives it. */
  reset(): void {
    this.#activation = undefined;
    if (!this.#used) return;
    const values = this.#values;
    const failures = this.#failures;
    // A loop, because a call of `fill` costs more than the few variables that a policy has.
    for (let i = 0; i < values.length; i++) {
      values[i] = undefined;
      failures[i] = undefined;
    }
    this.#used = false;
  }

  override has(field: string): boolean {
    return this.table.indexByName.has(field);
  }

  override get(field: string): CelValue {
    const index = this.#indexOf(field);
    const value = this.#values[index];
    return value === undefined ? this.#compute(index) : value;
  }

  /** Where a variable is: the last one of its name. Comparing a few names takes less time than a look into a map. */
  #indexOf(field: string): number {
    const names = this.#names;
    if (names.length <= FEW) {
      for (let i = names.length - 1; i >= 0; i--) if (names[i] === field) return i;
    }
    const index = this.table.indexByName.get(field);
    if (index === undefined) throw new CelError(`no such key: ${field}`);
    return index;
  }

  #compute(index: number): CelValue {
    const known = this.#failures[index];
    if (known !== undefined) throw known;
    this.#used = true;
    const variable = this.table.list[index]!;
    try {
      const value = variable.program.run(this.#activation!, this.#meter!);
      if (variable.json && !isJsonAtTop(value)) throw NOT_JSON;
      this.#values[index] = value;
      return value;
    } catch (error) {
      // The fast back end has given up, which says nothing of the variable: no operator may absorb that.
      if (error instanceof CelError && error.code === 'budget') throw error;
      const failure = variableFailure(variable.name, error);
      this.#failures[index] = failure;
      // What it cost until then is not known, but limited; should the error be absorbed, the exact back end has to count.
      this.#meter!.remaining -= EXPRESSION_LIMIT;
      throw failure;
    }
  }
}

/** So many names are compared one by one. */
const FEW = 8;

/** `variables` with exact costs, for one evaluation of a list of expressions. */
export class ExactVariables extends LazyStruct {
  readonly typeName = VARIABLES_TYPE;
  readonly #slots = new Map<number, CelValue | CelError>();
  readonly #activation: Activation;
  /** Cost of the variables computed since it was last set to 0. */
  cost = 0;

  /** `activation` makes what the variables are computed from, of which they are themselves a part. */
  constructor(
    readonly table: VariableTable,
    activation: (variables: ExactVariables) => Activation,
  ) {
    super();
    this.#activation = activation(this);
  }

  get activation(): Activation {
    return this.#activation;
  }

  override has(field: string): boolean {
    return this.table.indexByName.has(field);
  }

  override get(field: string): CelValue {
    const index = this.table.indexByName.get(field);
    if (index === undefined) throw new CelError(`no such key: ${field}`);
    let slot = this.#slots.get(index);
    if (slot === undefined) {
      const variable = this.table.list[index]!;
      const trace = variable.program.trace(this.#activation, { limit: EXPRESSION_LIMIT });
      this.cost += trace.cost;
      slot = trace.outcome.ok ? trace.outcome.value : variableFailure(variable.name, trace.outcome.error);
      this.#slots.set(index, slot);
    }
    if (slot instanceof CelError) throw slot;
    return slot;
  }
}

function variableFailure(name: string, error: unknown): CelError {
  if (!(error instanceof CelError)) throw error;
  if (error.code === 'needs-fact') return error;
  // An exhausted limit of the variable is an ordinary error to the expression that uses it.
  return new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`);
}
