import type { Ast } from '../../../cel/ast.ts';
import type { Library } from '../../../cel/function.ts';
import { declare, globalOverload } from '../../../cel/libraries/declare.ts';
import { rewrite } from '../../../cel/rewrite/rewrite.ts';
import { DYN, optionalOf } from '../../../cel/types.ts';
import { type CelValue, Optional, some } from '../../../cel/values.ts';

/** Not a name that an expression can have. */
const AS_OPTIONAL = '@as_optional';

/** What {@link rewriteOptionals} needs. */
export const LENIENT_OPTIONALS_LIBRARY: Library = {
  name: 'kyverno.optionals',
  functions: [
    declare(
      AS_OPTIONAL,
      globalOverload('as_optional', [DYN], optionalOf(DYN), (value: CelValue) => (value instanceof Optional ? value : some(value))),
    ),
  ],
};

/**
 * The CEL that Kyverno has been built with takes `x.orValue(y)` and `x.or(y)` of a value that is no optional for the value
 * itself, and policies rely on it. Later versions, and Kubernetes, answer `no such overload`.
 * cel-go before 0.27: cel/library.go evalOptionalOrValue.
 */
export function rewriteOptionals(ast: Ast): Ast {
  return rewrite(ast, (expr, context) => {
    if (expr.kind !== 'call' || expr.target === undefined || (expr.fn !== 'orValue' && expr.fn !== 'or')) return undefined;
    const { target } = expr;
    if (target.kind === 'call' && (target.fn === '_?._' || target.fn === '_[?_]')) return undefined;
    const { start, end, at } = target;
    return { ...expr, target: { kind: 'call', id: context.newId(), start, end, at, fn: AS_OPTIONAL, args: [target] } };
  });
}
