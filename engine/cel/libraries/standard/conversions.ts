import type { FunctionDeclaration } from '../../function.ts';
import { actualSize, traversal } from '../../run/actual-size.ts';
import { toBool, toBytes, toDouble, toDuration, toInt, toText, toTimestamp, toType, toUint } from '../../run/convert.ts';
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, param, STRING, TIMESTAMP, typeOf, UINT } from '../../types.ts';
import type { CelValue } from '../../values.ts';
import { global } from './overloads.ts';

const A = param('A');
const walked = ([value]: readonly CelValue[]): number => traversal(actualSize(value!));

/** `bool bytes double duration dyn int string timestamp type uint`. cel-go: common/stdlib/standard.go. */
export const CONVERSIONS: readonly FunctionDeclaration[] = [
  { name: 'type', overloads: [global('type', [A], typeOf(A), toType)] },
  { name: 'dyn', overloads: [global('to_dyn', [A], DYN, (value) => value)] },
  { name: 'bool', overloads: [global('bool_to_bool', [BOOL], BOOL, toBool), global('string_to_bool', [STRING], BOOL, toBool)] },
  {
    name: 'bytes',
    overloads: [global('bytes_to_bytes', [BYTES], BYTES, toBytes), global('string_to_bytes', [STRING], BYTES, toBytes, walked)],
  },
  {
    name: 'double',
    overloads: [
      global('double_to_double', [DOUBLE], DOUBLE, toDouble),
      global('int64_to_double', [INT], DOUBLE, toDouble),
      global('string_to_double', [STRING], DOUBLE, toDouble),
      global('uint64_to_double', [UINT], DOUBLE, toDouble),
    ],
  },
  {
    name: 'duration',
    overloads: [
      global('duration_to_duration', [DURATION], DURATION, toDuration),
      global('string_to_duration', [STRING], DURATION, toDuration),
    ],
  },
  {
    name: 'int',
    overloads: [
      global('int64_to_int64', [INT], INT, toInt),
      global('double_to_int64', [DOUBLE], INT, toInt),
      global('duration_to_int64', [DURATION], INT, toInt),
      global('string_to_int64', [STRING], INT, toInt),
      global('timestamp_to_int64', [TIMESTAMP], INT, toInt),
      global('uint64_to_int64', [UINT], INT, toInt),
    ],
  },
  {
    name: 'string',
    overloads: [
      global('string_to_string', [STRING], STRING, toText),
      global('bool_to_string', [BOOL], STRING, toText),
      global('bytes_to_string', [BYTES], STRING, toText, walked),
      global('double_to_string', [DOUBLE], STRING, toText),
      global('duration_to_string', [DURATION], STRING, toText),
      global('int64_to_string', [INT], STRING, toText),
      global('timestamp_to_string', [TIMESTAMP], STRING, toText),
      global('uint64_to_string', [UINT], STRING, toText),
    ],
  },
  {
    name: 'timestamp',
    overloads: [
      global('timestamp_to_timestamp', [TIMESTAMP], TIMESTAMP, toTimestamp),
      global('int64_to_timestamp', [INT], TIMESTAMP, toTimestamp),
      global('string_to_timestamp', [STRING], TIMESTAMP, toTimestamp),
    ],
  },
  {
    name: 'uint',
    overloads: [
      global('uint64_to_uint64', [UINT], UINT, toUint),
      global('double_to_uint64', [DOUBLE], UINT, toUint),
      global('int64_to_uint64', [INT], UINT, toUint),
      global('string_to_uint64', [STRING], UINT, toUint),
    ],
  },
];
