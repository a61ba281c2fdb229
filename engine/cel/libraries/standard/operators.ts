import type { FunctionDeclaration, Overload } from '../../function.ts';
import { index } from '../../run/access.ts';
import { actualSize, equalityCost, inequalityCost, traversal } from '../../run/actual-size.ts';
import { add, divide, modulo, multiply, negate, not, subtract } from '../../run/arithmetic.ts';
import { containedIn, equals, equalsOperator } from '../../run/equality.ts';
import { noSuchOverload } from '../../run/errors.ts';
import { greater, greaterOrEqual, less, lessOrEqual } from '../../run/order.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, INT, listOf, mapOf, param, STRING, TIMESTAMP, UINT } from '../../types.ts';
import type { CelValue } from '../../values.ts';
import { global } from './overloads.ts';

const A = param('A');
const B = param('B');

/** Both operands are walked and copied. */
const concatenation = ([a, b]: readonly CelValue[]): number => traversal(actualSize(a!) + actualSize(b!));
const shorter = ([a, b]: readonly CelValue[]): number => inequalityCost(a!, b!);

/** The back ends evaluate these themselves, because not every operand is always evaluated. */
function lazily(): never {
  throw noSuchOverload();
}

const logic: readonly FunctionDeclaration[] = [
  { name: '_?_:_', overloads: [global('conditional', [BOOL, A, A], A, lazily)] },
  { name: '_&&_', overloads: [global('logical_and', [BOOL, BOOL], BOOL, lazily)] },
  { name: '_||_', overloads: [global('logical_or', [BOOL, BOOL], BOOL, lazily)] },
  { name: '!_', overloads: [global('logical_not', [BOOL], BOOL, not)] },
  { name: '@not_strictly_false', overloads: [global('not_strictly_false', [BOOL], BOOL, (value) => value !== false)] },
  { name: '_==_', overloads: [global('equals', [A, A], BOOL, equalsOperator, ([a, b]) => equalityCost(a!, b!))] },
  {
    name: '_!=_',
    overloads: [
      global(
        'not_equals',
        [A, A],
        BOOL,
        (a, b) => !equals(a, b),
        ([a, b]) => inequalityCost(a!, b!),
      ),
    ],
  },
];

/** Types by the name that cel-go's overload ids give them. */
const NAMES = new Map<CelType, string>([
  [BOOL, 'bool'],
  [INT, 'int64'],
  [UINT, 'uint64'],
  [DOUBLE, 'double'],
  [STRING, 'string'],
  [BYTES, 'bytes'],
  [TIMESTAMP, 'timestamp'],
  [DURATION, 'duration'],
]);

function ordering(name: string, id: string, call: Overload['call']): FunctionDeclaration {
  const same = [BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION].map((type) =>
    global(`${id}_${NAMES.get(type)}`, [type, type], BOOL, call, type === STRING || type === BYTES ? shorter : undefined),
  );
  const numbers = [INT, UINT, DOUBLE];
  const mixed = numbers.flatMap((a) =>
    numbers.filter((b) => b !== a).map((b) => global(`${id}_${NAMES.get(a)}_${NAMES.get(b)}`, [a, b], BOOL, call)),
  );
  return { name, overloads: [...same, ...mixed] };
}

const order: readonly FunctionDeclaration[] = [
  ordering('_<_', 'less', less),
  ordering('_<=_', 'less_equals', lessOrEqual),
  ordering('_>_', 'greater', greater),
  ordering('_>=_', 'greater_equals', greaterOrEqual),
];

const arithmetic: readonly FunctionDeclaration[] = [
  {
    name: '_+_',
    overloads: [
      global('add_bytes', [BYTES, BYTES], BYTES, add, concatenation),
      global('add_double', [DOUBLE, DOUBLE], DOUBLE, add),
      global('add_duration_duration', [DURATION, DURATION], DURATION, add),
      global('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, add),
      global('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, add),
      global('add_int64', [INT, INT], INT, add),
      global('add_list', [listOf(A), listOf(A)], listOf(A), add),
      global('add_string', [STRING, STRING], STRING, add, concatenation),
      global('add_uint64', [UINT, UINT], UINT, add),
    ],
  },
  {
    name: '_-_',
    overloads: [
      global('subtract_double', [DOUBLE, DOUBLE], DOUBLE, subtract),
      global('subtract_duration_duration', [DURATION, DURATION], DURATION, subtract),
      global('subtract_int64', [INT, INT], INT, subtract),
      global('subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, subtract),
      global('subtract_timestamp_timestamp', [TIMESTAMP, TIMESTAMP], DURATION, subtract),
      global('subtract_uint64', [UINT, UINT], UINT, subtract),
    ],
  },
  {
    name: '_*_',
    overloads: [
      global('multiply_double', [DOUBLE, DOUBLE], DOUBLE, multiply),
      global('multiply_int64', [INT, INT], INT, multiply),
      global('multiply_uint64', [UINT, UINT], UINT, multiply),
    ],
  },
  {
    name: '_/_',
    overloads: [
      global('divide_double', [DOUBLE, DOUBLE], DOUBLE, divide),
      global('divide_int64', [INT, INT], INT, divide),
      global('divide_uint64', [UINT, UINT], UINT, divide),
    ],
  },
  { name: '_%_', overloads: [global('modulo_int64', [INT, INT], INT, modulo), global('modulo_uint64', [UINT, UINT], UINT, modulo)] },
  // Negation of a duration has an implementation but, as in cel-go, no declaration: only `-dyn(d)` reaches it.
  { name: '-_', overloads: [global('negate_double', [DOUBLE], DOUBLE, negate), global('negate_int64', [INT], INT, negate)] },
];

const collections: readonly FunctionDeclaration[] = [
  {
    name: '_[_]',
    overloads: [global('index_list', [listOf(A), INT], A, index), global('index_map', [mapOf(A, B), A], B, index)],
  },
  {
    name: '@in',
    overloads: [
      global('in_list', [A, listOf(A)], BOOL, isIn, ([, list]) => actualSize(list!)),
      global('in_map', [A, mapOf(A, B)], BOOL, isIn),
    ],
  },
];

function isIn(value: CelValue, container: CelValue): boolean {
  const answer = containedIn(value, container);
  if (answer === undefined) throw noSuchOverload();
  return answer;
}

/** Logic, equality, order, arithmetic, `[]` and `in`, with cel-go's overload ids. cel-go: common/stdlib/standard.go. */
export const OPERATORS: readonly FunctionDeclaration[] = [...logic, ...order, ...arithmetic, ...collections];
