import type { Library } from '../../function.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  typeOf,
  UINT,
} from '../../types.ts';
import { TypeValue } from '../../values.ts';
import { CONVERSIONS } from './conversions.ts';
import { OPERATORS } from './operators.ts';
import { STRINGS } from './strings.ts';
import { TIME } from './time.ts';

const types: readonly (readonly [string, CelType])[] = [
  ['bool', BOOL],
  ['bytes', BYTES],
  ['double', DOUBLE],
  ['google.protobuf.Duration', DURATION],
  ['google.protobuf.Timestamp', TIMESTAMP],
  ['int', INT],
  ['list', listOf(DYN)],
  ['map', mapOf(DYN, DYN)],
  ['null_type', NULL],
  ['string', STRING],
  ['type', TYPE],
  ['uint', UINT],
];

/** CEL's standard library: operators, conversions, strings, time, and the names of types. cel-go: common/stdlib/standard.go. */
export const STANDARD: Library = {
  name: 'cel.lib.std',
  functions: [...OPERATORS, ...CONVERSIONS, ...STRINGS, ...TIME],
  identifiers: Object.fromEntries(types.map(([name, type]) => [name, { type: typeOf(type), value: new TypeValue(name) }])),
};
