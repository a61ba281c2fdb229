import { CelError, type CelValue } from '../cel/values.ts';
import { elementsOf } from '../object/for-each.ts';
import { type Json, type JsonObject, setOwn } from '../object/json.ts';
import type { DocumentPath } from '../text/document.ts';
import type { CompiledStep, StepExpression, StepLocals } from './compile.ts';
import { BindError, type BoundStep, type PlanWalk } from './plan.ts';
import { ArgumentError, excerpt } from './step-arguments.ts';

/** Items that one step may have. */
const MAX_ITEMS = 1000;

/** Steps that a plan may have, with all items. */
const MAX_STEPS = 5000;

export interface WalkOptions<E> {
  /** The value of an expression; a {@link CelError} becomes a {@link BindError}. All expressions of a step are given the same locals. */
  evaluate(expression: E, locals: StepLocals): CelValue;
  /** Names beside `steps`, as they are after the steps so far. */
  locals?(): StepLocals;
}

/** What is known of the outputs of a walk's steps. */
export interface StepsWalk extends PlanWalk {
  /** Value of `steps`. */
  readonly outputs: JsonObject;
}

/** Goes through steps, binding each when it is its turn. */
export function walkSteps<E extends StepExpression>(steps: readonly CompiledStep<E>[], options: WalkOptions<E>): StepsWalk {
  const walk = new Walk(steps, options);
  return { next: () => walk.next(), done: (outputs) => walk.done(outputs), outputs: walk.outputs };
}

/** A step on its turn: what is left of its items, and what those before gave. */
interface Turn<E> {
  readonly step: CompiledStep<E>;
  readonly items: readonly { readonly key: string; readonly locals: StepLocals }[];
  readonly results: JsonObject[];
}

class Walk<E extends StepExpression> {
  readonly outputs: { [id: string]: Json } = {};
  readonly #steps: readonly CompiledStep<E>[];
  readonly #options: WalkOptions<E>;
  #position = 0;
  #turn: Turn<E> | undefined;
  #count = 0;
  /** Key of the step that was given and not answered yet. */
  #pending: string | undefined;

  constructor(steps: readonly CompiledStep<E>[], options: WalkOptions<E>) {
    this.#steps = steps;
    this.#options = options;
  }

  next(): BoundStep | undefined {
    if (this.#pending !== undefined) throw new Error(`the step ${this.#pending} has not been answered`);
    for (;;) {
      const turn = this.#turn ?? this.#begin();
      if (turn === undefined) return undefined;
      const item = turn.items[turn.results.length];
      if (item === undefined) {
        this.#end(turn);
        continue;
      }
      return this.#bind(turn.step, item);
    }
  }

  done(outputs: JsonObject): void {
    if (this.#pending === undefined) throw new Error('no step waits for an answer');
    this.#pending = undefined;
    this.#turn!.results.push(outputs);
    if (this.#turn!.results.length === this.#turn!.items.length) this.#end(this.#turn!);
  }

  #begin(): Turn<E> | undefined {
    const step = this.#steps[this.#position];
    if (step === undefined) return undefined;
    this.#turn = { step, items: this.#items(step), results: [] };
    return this.#turn;
  }

  #items(step: CompiledStep<E>): Turn<E>['items'] {
    if (step.when !== undefined && this.#evaluate(step, step.when, {}) !== true) return [];
    if (step.forEach === undefined) return [{ key: step.key, locals: {} }];
    const elements = elementsOf(this.#evaluate(step, step.forEach, {}));
    if (elements === undefined) throw this.#fault(step, 'forEach needs a list or a map', step.forEach.path);
    const items: { readonly key: string; readonly locals: StepLocals }[] = [];
    for (const { item, key, index } of elements) {
      if (items.length >= MAX_ITEMS) throw this.#fault(step, `the step has more than ${MAX_ITEMS} items`, step.forEach.path);
      const names = key === undefined ? { item, index } : { item, key };
      items.push({ key: `${step.key}/${key === undefined ? index : String(key)}`, locals: names });
    }
    return items;
  }

  #bind(step: CompiledStep<E>, item: Turn<E>['items'][number]): BoundStep {
    if (++this.#count > MAX_STEPS) throw this.#fault(step, `the plan has more than ${MAX_STEPS} steps`, step.path);
    const { operation, path, line, timeout } = step;
    const locals = this.#locals(item.locals);
    try {
      const bound = step.arguments.bind((expression) => this.#options.evaluate(expression, locals));
      this.#pending = item.key;
      return { key: item.key, operation: operation.name, arguments: bound, timeout, path, ...(line === undefined ? {} : { line }) };
    } catch (error) {
      if (error instanceof ArgumentError) throw this.#fault(step, error.message, error.path, item.key);
      throw error;
    }
  }

  /** A step has ended, or is left out. */
  #end({ step, results }: Turn<E>): void {
    this.#turn = undefined;
    this.#position++;
    if (step.id === undefined) return;
    const [only] = results;
    const value = step.forEach === undefined ? only : results;
    if (value !== undefined) setOwn(this.outputs, step.id, value);
  }

  #locals(more: StepLocals): StepLocals {
    return { ...this.#options.locals?.(), steps: this.outputs, ...more };
  }

  #evaluate(step: CompiledStep<E>, expression: E, more: StepLocals): CelValue {
    try {
      return this.#options.evaluate(expression, this.#locals(more));
    } catch (error) {
      if (error instanceof CelError) throw this.#fault(step, `${error.message} (in ${excerpt(expression.text)})`, expression.path);
      throw error;
    }
  }

  #fault(step: CompiledStep<E>, message: string, path: DocumentPath, key = step.key): BindError {
    return new BindError(message, key, path, step.line);
  }
}
