import type { Expr } from '../ast.ts';
import type { MacroContext, MacroDeclaration } from './macro.ts';
import { ACCUMULATOR, isAccumulatorName } from './macro.ts';

/** `has(e.f)`: presence of a field or key. cel-go: parser/macro.go MakeHas. */
const has: MacroDeclaration = {
  name: 'has',
  member: false,
  argCount: 1,
  expand(context, _target, args) {
    const operand = args[0]!;
    if (operand.kind === 'select') return context.select(operand.operand, operand.field, true);
    return context.error(operand, 'invalid argument to has() macro');
  },
};

type Fold = (context: MacroContext, target: Expr, variable: string, predicate: Expr) => Expr;

function quantifier(name: string, fold: Fold): MacroDeclaration {
  return {
    name,
    member: true,
    argCount: 2,
    expand(context, target, args) {
      const variable = iterationVariable(context, args[0]!, 'argument must be a simple name');
      return typeof variable === 'string' ? fold(context, target!, variable, args[1]!) : variable;
    },
  };
}

/** The variable that a macro's first argument names, or the error node when it is not a plain name. */
function iterationVariable(context: MacroContext, arg: Expr, message: string): string | Expr {
  if (arg.kind !== 'ident') return context.error(arg, message);
  if (isAccumulatorName(arg.name)) return context.error(arg, 'iteration variable overwrites accumulator variable');
  return arg.name;
}

const all = quantifier('all', (context, iterRange, iterVar, predicate) => {
  const accuInit = context.literal(true);
  const loopCondition = context.call('@not_strictly_false', context.ident(ACCUMULATOR));
  const loopStep = context.call('_&&_', context.ident(ACCUMULATOR), predicate);
  const result = context.ident(ACCUMULATOR);
  return context.comprehension({ iterRange, iterVar, accuInit, loopCondition, loopStep, result });
});

const exists = quantifier('exists', (context, iterRange, iterVar, predicate) => {
  const accuInit = context.literal(false);
  const loopCondition = context.call('@not_strictly_false', context.call('!_', context.ident(ACCUMULATOR)));
  const loopStep = context.call('_||_', context.ident(ACCUMULATOR), predicate);
  const result = context.ident(ACCUMULATOR);
  return context.comprehension({ iterRange, iterVar, accuInit, loopCondition, loopStep, result });
});

const existsOne = quantifier('exists_one', (context, iterRange, iterVar, predicate) => {
  const accuInit = context.literal(0);
  const loopCondition = context.literal(true);
  const increment = context.call('_+_', context.ident(ACCUMULATOR), context.literal(1));
  const loopStep = context.call('_?_:_', predicate, increment, context.ident(ACCUMULATOR));
  const result = context.call('_==_', context.ident(ACCUMULATOR), context.literal(1));
  return context.comprehension({ iterRange, iterVar, accuInit, loopCondition, loopStep, result });
});

/** `map(v, transform)` and `map(v, predicate, transform)`. */
function mapMacro(argCount: 2 | 3): MacroDeclaration {
  return {
    name: 'map',
    member: true,
    argCount,
    expand(context, target, args) {
      const iterVar = iterationVariable(context, args[0]!, 'argument is not an identifier');
      if (typeof iterVar !== 'string') return iterVar;
      const accuInit = context.list();
      const loopCondition = context.literal(true);
      let loopStep = context.call('_+_', context.ident(ACCUMULATOR), context.list(args[argCount - 1]!));
      if (argCount === 3) loopStep = context.call('_?_:_', args[1]!, loopStep, context.ident(ACCUMULATOR));
      const result = context.ident(ACCUMULATOR);
      return context.comprehension({ iterRange: target!, iterVar, accuInit, loopCondition, loopStep, result });
    },
  };
}

const filter: MacroDeclaration = {
  name: 'filter',
  member: true,
  argCount: 2,
  expand(context, target, args) {
    const iterVar = iterationVariable(context, args[0]!, 'argument is not an identifier');
    if (typeof iterVar !== 'string') return iterVar;
    const accuInit = context.list();
    const loopCondition = context.literal(true);
    const append = context.call('_+_', context.ident(ACCUMULATOR), context.list(args[0]!));
    const loopStep = context.call('_?_:_', args[1]!, append, context.ident(ACCUMULATOR));
    const result = context.ident(ACCUMULATOR);
    return context.comprehension({ iterRange: target!, iterVar, accuInit, loopCondition, loopStep, result });
  },
};

/** The macros of standard CEL. cel-go: cel/macro.go StandardMacros (`existsOne` is not among them). */
export const STANDARD_MACROS: readonly MacroDeclaration[] = [has, all, exists, existsOne, mapMacro(2), mapMacro(3), filter];

/** `optMap` and `optFlatMap` differ in who wraps the result. */
function optionalMacro(name: 'optMap' | 'optFlatMap'): MacroDeclaration {
  return {
    name,
    member: true,
    argCount: 2,
    expand(context, target, args) {
      const variable = args[0]!;
      if (variable.kind !== 'ident') return context.error(variable, `${name}() variable name must be a simple identifier`);
      const present = context.memberCall(target!, 'hasValue');
      let value = context.comprehension({
        iterRange: context.list(),
        iterVar: UNUSED_VARIABLE,
        accuVar: variable.name,
        accuInit: context.memberCall(context.copy(target!), 'value'),
        loopCondition: context.literal(false),
        loopStep: context.ident(variable.name),
        result: args[1]!,
      });
      if (name === 'optMap') value = context.call('optional.of', value);
      return context.call('_?_:_', present, value, context.call('optional.none'));
    },
  };
}

/** The iteration variable of a comprehension that only binds a name. */
const UNUSED_VARIABLE = '#unused';

/** The macros of cel-go's optional types. cel-go: cel/library.go optMap, optFlatMap. */
export const OPTIONAL_MACROS: readonly MacroDeclaration[] = [optionalMacro('optMap'), optionalMacro('optFlatMap')];
