import type { Expr } from '../ast.ts';
import type { Library, MacroDeclaration } from '../function.ts';
import { ACCUMULATOR, isAccumulatorName, type MacroContext } from '../parse/macro.ts';
import { insertIntoMap } from '../run/insert.ts';
import { mapOf, param } from '../types.ts';
import { declare, globalOverload } from './declare.ts';

const MAP = mapOf(param('K'), param('V'));
const MAP_INSERT = 'cel.@mapInsert';

interface Iteration {
  readonly iterRange: Expr;
  readonly iterVar: string;
  readonly iterVar2: string;
}

/** The two variables of a macro, or the node that takes the place of a misused one. cel-go: ext/comprehensions.go extractIterVars. */
function iteration(context: MacroContext, target: Expr, first: Expr, second: Expr): Iteration | Expr {
  if (first.kind !== 'ident') return context.error(first, 'argument must be a simple name');
  if (second.kind !== 'ident') return context.error(second, 'argument must be a simple name');
  if (first.name === second.name) return context.error(second, `duplicate variable name: ${first.name}`);
  for (const variable of [first, second]) {
    if (isAccumulatorName(variable.name)) return context.error(variable, 'iteration variable overwrites accumulator variable');
  }
  return { iterRange: target, iterVar: first.name, iterVar2: second.name };
}

type Loop = Omit<Parameters<MacroContext['comprehension']>[0], keyof Iteration>;

function macro(
  name: string,
  argCount: number,
  loop: (context: MacroContext, args: readonly Expr[], iteration: Iteration) => Loop,
): MacroDeclaration {
  return {
    name,
    member: true,
    argCount,
    expand(context, target, args) {
      const found = iteration(context, target as Expr, args[0] as Expr, args[1] as Expr);
      return 'kind' in found ? found : context.comprehension({ ...found, ...loop(context, args, found) });
    },
  };
}

const all = macro('all', 3, (context, args) => ({
  accuInit: context.literal(true),
  loopCondition: context.call('@not_strictly_false', context.ident(ACCUMULATOR)),
  loopStep: context.call('_&&_', context.ident(ACCUMULATOR), args[2] as Expr),
  result: context.ident(ACCUMULATOR),
}));

const exists = macro('exists', 3, (context, args) => ({
  accuInit: context.literal(false),
  loopCondition: context.call('@not_strictly_false', context.call('!_', context.ident(ACCUMULATOR))),
  loopStep: context.call('_||_', context.ident(ACCUMULATOR), args[2] as Expr),
  result: context.ident(ACCUMULATOR),
}));

const existsOne = (name: string): MacroDeclaration =>
  macro(name, 3, (context, args) => ({
    accuInit: context.literal(0),
    loopCondition: context.literal(true),
    loopStep: context.call(
      '_?_:_',
      args[2] as Expr,
      context.call('_+_', context.ident(ACCUMULATOR), context.literal(1)),
      context.ident(ACCUMULATOR),
    ),
    result: context.call('_==_', context.ident(ACCUMULATOR), context.literal(1)),
  }));

/** A macro that builds something: with four arguments, the third one filters. */
function transform(
  name: string,
  argCount: 3 | 4,
  empty: (context: MacroContext) => Expr,
  grow: (context: MacroContext, value: Expr, iteration: Iteration) => Expr,
): MacroDeclaration {
  return macro(name, argCount, (context, args, found) => {
    const grown = grow(context, args[argCount - 1] as Expr, found);
    const loopStep = argCount === 4 ? context.call('_?_:_', args[2] as Expr, grown, context.ident(ACCUMULATOR)) : grown;
    const accuInit = empty(context);
    const loopCondition = context.literal(true);
    return { accuInit, loopCondition, loopStep, result: context.ident(ACCUMULATOR) };
  });
}

const transformList = (argCount: 3 | 4): MacroDeclaration =>
  transform(
    'transformList',
    argCount,
    (context) => context.list(),
    (context, value) => context.call('_+_', context.ident(ACCUMULATOR), context.list(value)),
  );

const transformMap = (argCount: 3 | 4): MacroDeclaration =>
  transform(
    'transformMap',
    argCount,
    (context) => context.map(),
    (context, value, found) => context.call(MAP_INSERT, context.ident(ACCUMULATOR), context.ident(found.iterVar), value),
  );

const transformMapEntry = (argCount: 3 | 4): MacroDeclaration =>
  transform(
    'transformMapEntry',
    argCount,
    (context) => context.map(),
    (context, value) => context.call(MAP_INSERT, context.ident(ACCUMULATOR), value),
  );

/** Macros over keys (or indices) and values. cel-go: ext/comprehensions.go. */
export const TWO_VARIABLE_COMPREHENSIONS_LIBRARY: Library = {
  name: 'cel.lib.ext.comprev2',
  macros: [
    all,
    exists,
    existsOne('existsOne'),
    existsOne('exists_one'),
    transformList(3),
    transformList(4),
    transformMap(3),
    transformMap(4),
    transformMapEntry(3),
    transformMapEntry(4),
  ],
  functions: [
    declare(
      MAP_INSERT,
      globalOverload('@mapInsert_map_key_value', [MAP, param('K'), param('V')], MAP, insertIntoMap),
      globalOverload('@mapInsert_map_map', [MAP, MAP], MAP, insertIntoMap),
    ),
  ],
};
