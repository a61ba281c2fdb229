import { CelError, type CelValue, LazyStruct } from '../cel/values.ts';
import type { Expression, Variable } from './expressions.ts';

/** `variables`: each is computed when first asked for, and at most once. */
export class LazyVariables extends LazyStruct {
  readonly typeName: string;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #run: (expression: Expression) => CelValue;
  readonly #known = new Map<string, CelValue | CelError>();

  /** `room` as of the compiler of their expressions. */
  constructor(room: string, variables: ReadonlyMap<string, Variable>, run: (expression: Expression) => CelValue) {
    super();
    this.typeName = `${room}.variables`;
    this.#variables = variables;
    this.#run = run;
  }

  override has(field: string): boolean {
    return this.#variables.has(field);
  }

  override get(field: string): CelValue {
    let known = this.#known.get(field);
    if (known === undefined) {
      known = this.#compute(field);
      this.#known.set(field, known);
    }
    if (known instanceof CelError) throw known;
    return known;
  }

  #compute(field: string): CelValue | CelError {
    const variable = this.#variables.get(field);
    if (variable === undefined) return new CelError(`no such key: ${field}`);
    try {
      return this.#run(variable.expression);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return new CelError(`the variable ${field} has no value: ${error.message}`);
    }
  }
}
