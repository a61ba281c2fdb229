import type { Expr } from '../../ast.ts';
import type { CheckedAst } from '../../program.ts';
import type { CelValue } from '../../values.ts';
import { type Code, type Fragment, js, Name, nameSource, separated } from './emitter.ts';
import type { RuntimeName } from './runtime.ts';

/** A shape that generated code does not model exactly; the expression then runs as closures. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

/** What is known of a value without looking at it. */
export type Known = 'bool' | 'string' | 'int' | 'list';

/** The result of a node: an expression without effects that can't fail, standing for a value computed by statements before it. */
export interface Operand {
  readonly code: Fragment;
  readonly known?: Known;
  /** The value comes from parsed JSON: plain objects, arrays and scalars all the way down. */
  readonly json?: boolean;
  /** Set for values known when the program is made. */
  readonly literal?: { readonly value: CelValue };
  /** The code is a name or a literal, so that repeating it costs nothing. */
  readonly isSimple?: boolean;
  /** The code stands for the inside of an optional, undefined for none. */
  readonly isMaybe?: boolean;
  /** What is known to be there once this bool has turned out true, or false. */
  readonly whenTrue?: Facts;
  readonly whenFalse?: Facts;
}

/** Fields that are there, by `factKey` of operand and field: the JavaScript variable that holds the field's value. */
export type Facts = ReadonlyMap<string, Name>;

export const factKey = (operand: Operand, field: string): string => `${String(operand.code)}.${field}`;

/** Statements that belong together, and what is known of them. */
export interface Block {
  readonly statements: Fragment[];
  /** A statement may throw. */
  canFail: boolean;
  /** Adds to the cost at run time, by an amount that depends on values. */
  hasDynamicCost: boolean;
  /** After a failure in here cel-go would charge more than we have: absorbing it leaves the fast back end. */
  mayMissCost: boolean;
  /** Upper bound of what one run of the block charges, without the dynamic part. */
  cost: number;
  /** Fields that are there, because the block would not have been entered or continued otherwise. */
  readonly facts: Map<string, Name>;
}

/** Names in scope of a node, from CEL to JavaScript. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly name: string;
  readonly operand: Operand;
}

/** The state of generating one function. */
export class Context {
  readonly #names = nameSource();
  readonly #used = new Map<RuntimeName, Name>();
  readonly #constants: CelValue[] = [];
  readonly #variables = new Map<string, Name>();
  /** Variables declared at the head of the function or of the loop that is being generated. */
  #declared: Name[] = [];
  block: Block = newBlock(undefined);
  readonly cost = new Name('c');
  readonly limit = new Name('lim');

  constructor(
    readonly ast: CheckedAst,
    /** Values known before the program runs, by node id. */
    readonly known: ReadonlyMap<number, CelValue>,
    readonly jsonVariables: ReadonlySet<string>,
    readonly visit: (context: Context, expr: Expr, scope: Scope | undefined) => Operand,
  ) {}

  temporary(prefix = 't'): Name {
    return this.#names(prefix);
  }

  /**
   * A variable that lives as long as the function or the iteration, so that what one operand of `&&` has read can be used by
   * the next. It starts as undefined.
   */
  declare(): Name {
    const name = this.temporary();
    this.#declared.push(name);
    return name;
  }

  /** Generates the body of a loop, or the function's; answers the declarations that belong at its head too. */
  declaring<T>(generate: () => T): { readonly declarations: Code; readonly result: T } {
    const outer = this.#declared;
    this.#declared = [];
    try {
      const result = generate();
      const names = this.#declared;
      return { declarations: names.length === 0 ? js`` : js`let ${separated(names, js`, `)};\n`, result };
    } finally {
      this.#declared = outer;
    }
  }

  /** A function of the runtime. */
  runtime(name: RuntimeName): Name {
    let known = this.#used.get(name);
    if (!known) {
      known = new Name(`$${name}`);
      this.#used.set(name, known);
    }
    return known;
  }

  /** A value that is passed beside the code. */
  hoist(value: unknown): Name {
    // The array holds what the code reads by index; it is opaque to everyone else.
    this.#constants.push(value as CelValue);
    return new Name(`k${this.#constants.length - 1}`);
  }

  /** The JavaScript variable that holds a variable of the activation, possibly undefined. */
  variable(name: string): Name {
    let known = this.#variables.get(name);
    if (!known) {
      known = this.temporary('v');
      this.#variables.set(name, known);
    }
    return known;
  }

  get usedRuntime(): ReadonlyMap<RuntimeName, Name> {
    return this.#used;
  }

  get constants(): readonly CelValue[] {
    return this.#constants;
  }

  get variables(): ReadonlyMap<string, Name> {
    return this.#variables;
  }

  emit(statement: Code): void {
    this.block.statements.push(statement);
  }

  /** Emits a statement that may throw. */
  emitFailing(statement: Code): void {
    this.block.canFail = true;
    this.emit(statement);
  }

  /** Adds to the static cost of the block. */
  charge(units: number): void {
    this.block.cost += units;
  }

  /** Adds to the cost at run time. */
  chargeDynamic(units: Code): void {
    this.block.hasDynamicCost = true;
    this.emit(js`${this.cost} += ${units};\n`);
  }

  /** Binds an operand to a name, unless it is as good as one. */
  bind(operand: Operand): Operand {
    if (operand.isSimple) return operand;
    const name = this.temporary();
    this.emit(js`const ${name} = ${operand.code};\n`);
    return { ...operand, code: name, isSimple: true };
  }

  /** Adds to what the present block may rely on. */
  learn(facts: Facts | undefined): void {
    for (const [key, name] of facts ?? []) this.block.facts.set(key, name);
  }

  /** Runs `generate` with a block of its own, which relies on `facts` and which the caller puts where it belongs. */
  capture<T>(generate: () => T, facts?: Facts): { readonly block: Block; readonly result: T } {
    const outer = this.block;
    const block = newBlock(outer);
    this.block = block;
    this.learn(facts);
    try {
      return { block, result: generate() };
    } finally {
      this.block = outer;
    }
  }

  /** Takes over what is known of a block that is put into the present one as it is. */
  absorb(block: Block): void {
    this.block.canFail ||= block.canFail;
    this.inherit(block);
    this.block.cost += block.cost;
  }

  /** The same for a block whose failures are caught and whose cost is accounted for otherwise. */
  inherit(block: Block): void {
    this.block.hasDynamicCost ||= block.hasDynamicCost;
    this.block.mayMissCost ||= block.mayMissCost;
  }
}

function newBlock(outer: Block | undefined): Block {
  return {
    statements: [],
    canFail: false,
    hasDynamicCost: false,
    mayMissCost: false,
    cost: 0,
    facts: new Map(outer?.facts),
  };
}
