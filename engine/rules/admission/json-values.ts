import type { Call, Comprehension, Expr } from '../../cel/ast.ts';
import type { CheckedAst } from '../../cel/program.ts';
import type { CelType } from '../../cel/types.ts';

/**
 * Whether the value of an expression is JSON as parsed (plain objects, lists, strings, numbers that are ints or not integral,
 * booleans, null) all the way down, given which variables are. Where it says so, one doubt is left: a sum of two dyn values may
 * be a double that is integral, which {@link isJsonAtTop} finds out at run time.
 *
 * False is always right: it costs time, not meaning.
 */
export function givesJson(ast: CheckedAst, jsonVariables: ReadonlySet<string>): boolean {
  return new JsonAnalysis(ast, jsonVariables).gives(ast.root, new Map(), true);
}

/** Whether a value that {@link givesJson} has vouched for is no value of CEL's own classes after all. */
export function isJsonAtTop(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}

/** Loop variables in scope: whether their values are JSON. */
type Scope = ReadonlyMap<string, boolean>;

class JsonAnalysis {
  readonly #ast: CheckedAst;
  readonly #variables: ReadonlySet<string>;

  constructor(ast: CheckedAst, variables: ReadonlySet<string>) {
    this.#ast = ast;
    this.#variables = variables;
  }

  /** `atTop`: the value is the whole value, or what is looked into; not an element of something. */
  gives(expr: Expr, scope: Scope, atTop: boolean): boolean {
    if (isJsonType(this.#ast.types[expr.id])) return true;
    switch (expr.kind) {
      case 'literal':
        return expr.value === null || typeof expr.value === 'string' || typeof expr.value === 'boolean' || typeof expr.value === 'number';
      case 'ident':
        return scope.get(expr.name) ?? this.#variables.has(expr.name);
      case 'select':
        if (expr.operand.kind === 'ident' && !scope.has(expr.operand.name) && this.#variables.has(`${expr.operand.name}.${expr.field}`))
          return true;
        return this.gives(expr.operand, scope, true);
      case 'list':
        return expr.optionalIndices.length === 0 && expr.elements.every((element) => this.gives(element, scope, false));
      case 'call':
        return this.#call(expr, scope, atTop);
      case 'comprehension':
        return this.#comprehension(expr, scope);
      default:
        return false;
    }
  }

  #call(expr: Call, scope: Scope, atTop: boolean): boolean {
    const [first, second, third] = expr.args;
    switch (expr.fn) {
      case '_[_]':
        return this.gives(first!, scope, true);
      case 'dyn':
        return this.gives(first!, scope, atTop);
      case '_?_:_':
        return this.gives(second!, scope, atTop) && this.gives(third!, scope, atTop);
      case '_+_':
        return (
          (atTop || this.#isList(first!) || this.#isList(second!)) && this.gives(first!, scope, atTop) && this.gives(second!, scope, atTop)
        );
      case 'orValue':
        return expr.target !== undefined && this.#holdsJson(expr.target, scope) && this.gives(first!, scope, atTop);
      case 'value':
        return expr.target !== undefined && this.#holdsJson(expr.target, scope);
      default:
        return false;
    }
  }

  #isList(expr: Expr): boolean {
    return this.#ast.types[expr.id]?.kind === 'list';
  }

  /** Whether what an optional may hold is JSON. */
  #holdsJson(expr: Expr, scope: Scope): boolean {
    if (expr.kind === 'select') return this.#holdsJson(expr.operand, scope);
    if (expr.kind === 'call' && (expr.fn === '_?._' || expr.fn === '_[?_]' || expr.fn === '_[_]')) {
      return this.#holdsJson(expr.args[0]!, scope) || this.gives(expr.args[0]!, scope, true);
    }
    return false;
  }

  /** `filter` and `map`: elements that are JSON, gathered. */
  #comprehension(expr: Comprehension, scope: Scope): boolean {
    const { macro } = expr;
    const range = this.gives(expr.iterRange, scope, true);
    if (macro.name === 'filter' && macro.args.length === 2) return range;
    if (macro.name !== 'map') return false;
    const inner = new Map(scope).set(expr.iterVar, range);
    return this.gives(macro.args[macro.args.length - 1]!, inner, false);
  }
}

/** Types whose values are JSON whatever they come from. */
function isJsonType(type: CelType | undefined): boolean {
  switch (type?.kind) {
    case 'bool':
    case 'string':
    case 'int':
    case 'null':
      return true;
    case 'list':
      return isJsonType(type.element);
    case 'map':
      return type.key.kind === 'string' && isJsonType(type.value);
    default:
      return false;
  }
}
