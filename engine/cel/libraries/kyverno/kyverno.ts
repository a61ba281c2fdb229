import { md5, sha1, sha256 } from '../../../text/digest.ts';
import type { Library } from '../../function.ts';
import { doubleValue, isPlainObject, typeName } from '../../run/type-of.ts';
import { type CelType, DOUBLE, DURATION, DYN, INT, listOf, mapOf, STRING, TIMESTAMP } from '../../types.ts';
import { CelError, type CelValue, type Double, type Duration, double, type PlainObject, Timestamp } from '../../values.ts';
import { declare, globalOverload } from '../declare.ts';
import { IMAGE_CONTEXT_TYPE, KYVERNO_IMAGE_LIBRARY } from './image.ts';
import { KYVERNO_RESOURCE_LIBRARY, RESOURCE_CONTEXT_TYPE } from './resource.ts';

const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

/** `parseServiceAccount('system:serviceaccount:ns:name')`: both parts empty for any other user. */
function parseServiceAccount(user: string): PlainObject {
  const rest = user.startsWith(SERVICE_ACCOUNT_PREFIX) ? user.slice(SERVICE_ACCOUNT_PREFIX.length) : '';
  const colon = rest.indexOf(':');
  return colon < 0 ? { Namespace: '', Name: '' } : { Namespace: rest.slice(0, colon), Name: rest.slice(colon + 1) };
}

/** `math.round(value, digits)`: half away from zero. */
function round(value: number | Double, digits: number | bigint): CelValue {
  const shift = 10 ** Number(digits);
  const shifted = doubleValue(value) * shift;
  return double((Math.sign(shifted) * Math.round(Math.abs(shifted))) / shift);
}

/** `listObjToMap(keys, values, keyField, valueField)`: a map from a field of one list to a field of the other. */
function listObjToMap(keys: readonly CelValue[], values: readonly CelValue[], keyField: string, valueField: string): PlainObject {
  if (keys.length !== values.length) {
    throw new CelError(`listObjToMap must take lists of equal length. list1: ${keys.length}, list2: ${values.length}`);
  }
  const result: Record<string, CelValue> = Object.create(null);
  keys.forEach((entry, index) => {
    const key = fieldOf(entry, keyField);
    if (typeof key !== 'string') throw new CelError('the passed key name cannot be handled as a string in the key object list');
    result[key] = fieldOf(values[index] as CelValue, valueField);
  });
  return result;
}

function fieldOf(entry: CelValue, field: string): CelValue {
  if (!isPlainObject(entry)) throw new CelError(`object cannot be handled as a map: ${typeName(entry)}`);
  return Object.hasOwn(entry, field) ? (entry[field] as CelValue) : null;
}

/** `time.truncate(timestamp, duration)`: down to a multiple of the duration since year 1. Go: Time.Truncate. */
function truncate(timestamp: Timestamp, duration: Duration): Timestamp {
  if (duration.nanos <= 0n) return timestamp;
  const sinceYearOne = (BigInt(timestamp.seconds) + SECONDS_FROM_YEAR_ONE) * 1_000_000_000n + BigInt(timestamp.nanos);
  const truncated = sinceYearOne - (sinceYearOne % duration.nanos);
  return new Timestamp(Number(truncated / 1_000_000_000n - SECONDS_FROM_YEAR_ONE), Number(truncated % 1_000_000_000n));
}

const SECONDS_FROM_YEAR_ONE = 62135596800n;

/** What needs nothing beside its arguments. Kyverno: pkg/cel/libs/{user,math,hash,transform,time}. */
const PURE_LIBRARY: Library = {
  name: 'kyverno.functions',
  functions: [
    declare('parseServiceAccount', globalOverload('parse_service_account_string', [STRING], mapOf(STRING, STRING), parseServiceAccount)),
    declare('math.round', globalOverload('math_round_float_int', [DOUBLE, INT], DOUBLE, round)),
    declare('md5', globalOverload('md5_string', [STRING], STRING, md5)),
    declare('sha1', globalOverload('sha1_string', [STRING], STRING, sha1)),
    declare('sha256', globalOverload('sha256_string', [STRING], STRING, sha256)),
    declare(
      'listObjToMap',
      globalOverload('list_of_object_to_map', [listOf(DYN), listOf(DYN), STRING, STRING], mapOf(STRING, DYN), listObjToMap),
    ),
    declare('time.truncate', globalOverload('time_truncate_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, truncate)),
  ],
};

/** Time as the host knows it. */
export type Clock = () => Timestamp;

/**
 * Kyverno's own functions, as far as they reach out to nothing: image names, service accounts, hashes, and objects and image
 * metadata that the host has at hand. `http`, `globalContext`, `generator` and image signatures are not among them.
 */
export function kyvernoLibraries(now: Clock): readonly Library[] {
  const time: Library = {
    name: 'kyverno.time',
    functions: [declare('time.now', globalOverload('time_now', [], TIMESTAMP, now))],
  };
  return [KYVERNO_IMAGE_LIBRARY, KYVERNO_RESOURCE_LIBRARY, PURE_LIBRARY, time];
}

/** Variables of Kyverno's policies whose values are {@link ResourceContextValue} and {@link ImageContextValue}. */
export const KYVERNO_VARIABLES: Readonly<Record<'resource' | 'image', CelType>> = {
  resource: RESOURCE_CONTEXT_TYPE,
  image: IMAGE_CONTEXT_TYPE,
};
