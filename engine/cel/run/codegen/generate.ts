import type { Expr } from '../../ast.ts';
import type { Activation, CheckedAst, Meter } from '../../program.ts';
import type { CelValue } from '../../values.ts';
import { PER_CALL_LIMIT } from '../closure/program.ts';
import { isInherited } from '../inherited.ts';
import { visitCall } from './calls.ts';
import { visitIdent, visitSelect } from './chains.ts';
import { Context, type Operand, type Scope, Unsupported } from './context.ts';
import { type Code, js, property, separated } from './emitter.ts';
import { visitComprehension } from './folds.ts';
import { visitList, visitMap, visitStruct } from './literals.ts';
import { asValue, literalOperand } from './operand.ts';
import { RUNTIME } from './runtime.ts';

/** A generated evaluation: the value, or an error thrown. Takes an upper bound of the cost off the meter when it answers. */
export type Run = (activation: Activation, meter: Meter) => CelValue;

export interface GenerateOptions {
  /** Values known before the program runs, by node id. */
  readonly constants: ReadonlyMap<number, CelValue>;
  /** Variables whose values are parsed JSON all the way down; their fields are read in place. */
  readonly jsonVariables: ReadonlySet<string>;
}

/** Generated source, and what it is called with. */
export interface Generated {
  /** Body of a function of `$` (the runtime) and `K` (constants) that returns a {@link Run}. */
  readonly source: string;
  readonly constants: readonly unknown[];
}

/**
 * Larger trees run as closures: V8 does not optimize a function of more than 60 KB of bytecode, which this many nodes come near,
 * and parsing the code of an expression of a hundred kilobytes would hold up the first request for seconds.
 */
export const MAX_GENERATED_NODES = 4_000;

/** Generates the code of an expression. Throws `Unsupported` for what is too large and for what it does not model exactly. */
export function generate(ast: CheckedAst, options: GenerateOptions): Generated {
  if (ast.nodeCount > MAX_GENERATED_NODES) throw new Unsupported('a tree too large for one function');
  const context = new Context(ast, options.constants, options.jsonVariables, visit);
  const { declarations, result } = context.declaring(() => asValue(context, visit(context, ast.root, undefined)));
  const { block, cost, limit } = context;
  const source = js`'use strict';
${[...context.usedRuntime].map(([name, local]) => js`const ${local} = ${property(js`$`, name)};\n`)}${constantsCode(context)}return function run(a, m) {
const ${limit} = m.remaining < ${PER_CALL_LIMIT} ? m.remaining : ${PER_CALL_LIMIT};
let ${cost} = ${block.cost};
${[...context.variables].map(([name, local]) => js`const ${local} = ${activationRead(name)};\nif (${local} === undefined) throw $.leave;\n`)}${declarations}${block.statements}if (${cost} > ${limit}) throw $.leave;
m.remaining -= ${cost};
return ${result.code};
};\n`;
  return { source: source.toString(), constants: context.constants };
}

/** Compiles generated source. Throws an EvalError or a CSP violation where the host forbids it. */
export function compileGenerated(generated: Generated): Run {
  return new Function('$', 'K', generated.source)(RUNTIME, generated.constants) as Run;
}

function constantsCode(context: Context): Code {
  if (context.constants.length === 0) return js``;
  const names = context.constants.map((_, i) => js`k${i}`);
  return js`const [${separated(names, js`, `)}] = K;\n`;
}

function activationRead(name: string): Code {
  return isInherited(name) ? js`Object.hasOwn(a, ${name}) ? a[${name}] : undefined` : property(js`a`, name);
}

function visit(context: Context, expr: Expr, scope: Scope | undefined): Operand {
  const constant = context.known.get(expr.id);
  if (constant !== undefined) return literalOperand(context, constant);
  switch (expr.kind) {
    case 'literal':
      return literalOperand(context, expr.value);
    case 'ident':
      return visitIdent(context, expr, scope);
    case 'select':
      return visitSelect(context, expr, scope);
    case 'call':
      return visitCall(context, expr, scope);
    case 'list':
      return visitList(context, expr, scope);
    case 'map':
      return visitMap(context, expr, scope);
    case 'struct':
      return visitStruct(context, expr, scope);
    case 'comprehension':
      return visitComprehension(context, expr, scope);
  }
}
