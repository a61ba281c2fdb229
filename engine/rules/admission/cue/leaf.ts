import type { Expr } from '../../../cel/ast.ts';
import { patternError } from '../../../cel/run/re2.ts';
import { type CelValue, double, int } from '../../../cel/values.ts';
import { type CueBound, type CueCall, type CueExpr, type CueScalar, refuse } from '../../../text/cue-syntax/tree.ts';
import type { Span } from '../../../text/diagnostic.ts';
import { suggest } from '../../../text/suggest.ts';
import type { CelNodes } from './nodes.ts';

/** CUE's kinds, of the values that an object holds. `number` is an int or a float. */
export type Kind = 'null' | 'bool' | 'int' | 'float' | 'number' | 'string' | 'bytes' | 'list' | 'struct';

/** A test of a value that is no struct, list or disjunction. */
export interface Leaf {
  /** The kind that the value must have before `test` is asked; absent: any. */
  readonly kind?: Kind;
  readonly test?: (nodes: CelNodes, value: () => Expr) => Expr;
}

const CEL_TYPES: Readonly<Record<Exclude<Kind, 'number'>, string>> = {
  null: 'null_type',
  bool: 'bool',
  int: 'int',
  float: 'double',
  string: 'string',
  bytes: 'bytes',
  list: 'list',
  struct: 'map',
};

/** `type(value) == kind` */
export function isOfKind(nodes: CelNodes, span: Span, value: () => Expr, kind: Kind): Expr {
  if (kind === 'number') return nodes.join(span, '_||_', [isOfKind(nodes, span, value, 'int'), isOfKind(nodes, span, value, 'float')]);
  return nodes.call(span, '_==_', nodes.call(span, 'type', value()), nodes.ident(span, CEL_TYPES[kind]));
}

/** Whether a value known to be of the one kind is of the other. */
export function implies(known: Kind | undefined, kind: Kind): boolean {
  return known === kind || (kind === 'number' && (known === 'int' || known === 'float'));
}

const BASIC: ReadonlySet<string> = new Set(['bool', 'int', 'float', 'number', 'string', 'bytes']);

const RANGES: ReadonlyMap<string, readonly [bigint, bigint | undefined]> = new Map([
  ['uint', [0n, undefined]],
  ...[8n, 16n, 32n, 64n].flatMap((bits): (readonly [string, readonly [bigint, bigint | undefined]])[] => [
    [`int${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
    // No integer here is above the 64 bits of an int64.
    [`uint${bits}`, [0n, bits === 64n ? undefined : 2n ** bits - 1n]],
  ]),
]);

export const PREDECLARED_NAMES: readonly string[] = [...BASIC, ...RANGES.keys(), 'null', 'true', 'false', 'close'];

export function isPredeclared(name: string): boolean {
  return name === '_' || name === '_|_' || BASIC.has(name) || RANGES.has(name);
}

/** What a literal, a type, a bound or a validator asks of a value. Throws {@link CueMistake} for what is none of them. */
export function leafOf(expr: CueExpr): Leaf {
  switch (expr.kind) {
    case 'literal':
      return literalLeaf(expr, expr.value);
    case 'reference':
      return predeclaredLeaf(expr, expr.name);
    case 'unary':
      return boundLeaf(expr, expr.operator as CueBound, expr.operand);
    case 'call':
      return validatorLeaf(expr);
    case 'selector':
      return validatorLeaf({ kind: 'call', callee: expr, args: [], start: expr.start, end: expr.end });
    default:
      return refuse(expr, 'unsupported', 'this is not read here');
  }
}

/** The value of a literal in CEL. */
function celValue(value: CueScalar): CelValue {
  if (value === null || typeof value !== 'object') return value;
  return value.kind === 'int' ? int(value.value) : double(value.value);
}

function kindOfScalar(value: CueScalar): Kind {
  if (value === null) return 'null';
  if (typeof value === 'object') return value.kind;
  return typeof value === 'string' ? 'string' : 'bool';
}

function literalLeaf(span: Span, value: CueScalar): Leaf {
  const kind = kindOfScalar(value);
  if (kind === 'null') return { kind };
  return { kind, test: (nodes, subject) => nodes.call(span, '_==_', subject(), nodes.literal(span, celValue(value))) };
}

function predeclaredLeaf(span: Span, name: string): Leaf {
  if (name === '_') return {};
  if (name === '_|_') return { test: (nodes) => nodes.literal(span, false) };
  if (BASIC.has(name)) return { kind: name as Kind };
  const [least, most] = RANGES.get(name)!;
  return {
    kind: 'int',
    test: (nodes, subject) =>
      nodes.join(span, '_&&_', [
        nodes.call(span, '_>=_', subject(), nodes.literal(span, int(least))),
        ...(most === undefined ? [] : [nodes.call(span, '_<=_', subject(), nodes.literal(span, int(most)))]),
      ]),
  };
}

function boundLeaf(span: Span, operator: CueBound, operand: CueExpr): Leaf {
  if (operand.kind !== 'literal') return refuse(operand, 'unsupported', `${operator} is followed by a literal here`);
  const { value } = operand;
  const kind = kindOfScalar(value);
  if (operator === '=~' || operator === '!~') {
    if (typeof value !== 'string') return refuse(operand, 'syntax', `${operator} is followed by a pattern`);
    return patternLeaf(span, operand, value, operator === '!~');
  }
  if (operator === '!=') {
    if (kind === 'null') return { test: (nodes, subject) => nodes.call(span, '!_', isOfKind(nodes, span, subject, 'null')) };
    return compareLeaf(span, '_!=_', value);
  }
  if (kind === 'null' || kind === 'bool') return refuse(span, 'syntax', `${operator} compares numbers or strings`);
  return compareLeaf(span, `_${operator}_`, value);
}

function compareLeaf(span: Span, fn: string, value: CueScalar): Leaf {
  const kind = kindOfScalar(value);
  return {
    // A bound speaks of numbers, be they whole or not.
    kind: kind === 'int' || kind === 'float' ? 'number' : kind,
    test: (nodes, subject) => nodes.call(span, fn, subject(), nodes.literal(span, celValue(value))),
  };
}

function patternLeaf(span: Span, at: Span, pattern: string, negated: boolean): Leaf {
  const wrong = patternError(pattern);
  if (wrong !== undefined) refuse(at, 'syntax', wrong);
  return {
    kind: 'string',
    test(nodes, subject) {
      const found = nodes.method(span, subject(), 'matches', nodes.literal(at, pattern));
      return negated ? nodes.call(span, '!_', found) : found;
    },
  };
}

type Validator = (call: CueCall, name: string) => Leaf;

const VALIDATORS: ReadonlyMap<string, Validator> = new Map([
  ['strings.MinRunes', sizeValidator('string', '_>=_')],
  ['strings.MaxRunes', sizeValidator('string', '_<=_')],
  ['strings.HasPrefix', textValidator('startsWith')],
  ['strings.HasSuffix', textValidator('endsWith')],
  ['strings.Contains', textValidator('contains')],
  ['list.MinItems', sizeValidator('list', '_>=_')],
  ['list.MaxItems', sizeValidator('list', '_<=_')],
  ['list.UniqueItems', uniqueItems],
  ['struct.MinFields', sizeValidator('struct', '_>=_')],
  ['struct.MaxFields', sizeValidator('struct', '_<=_')],
  // As a validator it takes the value for the pattern.
  ['regexp.Match', (call, name) => refuse(call, 'unsupported', `${name} is no validator of a value`, 'write =~ and the pattern')],
]);

function validatorLeaf(call: CueCall): Leaf {
  const { callee } = call;
  const name =
    callee.kind === 'selector' && callee.operand.kind === 'reference'
      ? `${callee.operand.name}.${callee.name}`
      : callee.kind === 'reference'
        ? callee.name
        : undefined;
  const validator = name === undefined ? undefined : VALIDATORS.get(name);
  if (validator !== undefined) return validator(call, name!);
  const meant = name === undefined ? undefined : suggest(name, VALIDATORS.keys());
  const hint = meant === undefined ? `validators are ${[...VALIDATORS.keys()].join(', ')}` : `did you mean ${meant}?`;
  return refuse(callee, 'unsupported', `${name ?? 'this'} is not known here`, hint);
}

function argument(call: CueCall, name: string): Span & { readonly value: CueScalar } {
  const [only] = call.args;
  if (only?.kind !== 'literal' || call.args.length > 1) return refuse(only ?? call, 'syntax', `${name} takes one literal`);
  return only;
}

function sizeValidator(kind: Kind, fn: string): Validator {
  return (call, name) => {
    const at = argument(call, name);
    const { value } = at;
    if (value === null || typeof value !== 'object' || value.kind !== 'int') return refuse(at, 'syntax', `${name} takes a whole number`);
    return {
      kind,
      // The fields of a struct are counted by its map, which its declared type does not offer.
      test: (nodes, subject) => {
        const sized = kind === 'struct' ? nodes.call(call, 'dyn', subject()) : subject();
        return nodes.call(call, fn, nodes.call(call, 'size', sized), nodes.literal(at, int(value.value)));
      },
    };
  };
}

function textValidator(fn: string): Validator {
  return (call, name) => {
    const at = argument(call, name);
    if (typeof at.value !== 'string') return refuse(at, 'syntax', `${name} takes a string`);
    return { kind: 'string', test: (nodes, subject) => nodes.method(call, subject(), fn, nodes.literal(at, at.value as string)) };
  };
}

function uniqueItems(call: CueCall, name: string): Leaf {
  if (call.args.length > 0) refuse(call, 'syntax', `${name} takes nothing`);
  return {
    kind: 'list',
    test(nodes, subject) {
      const [index, item] = [nodes.variable('place'), nodes.variable('unique')];
      const first = nodes.method(call, subject(), 'indexOf', nodes.ident(call, item));
      const isFirst = nodes.call(call, '_==_', first, nodes.ident(call, index));
      return nodes.macro(call, subject(), 'all', nodes.ident(call, index), nodes.ident(call, item), isFirst);
    },
  };
}
