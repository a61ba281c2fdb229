import { parseDuration } from '../../engine/cel/run/duration.ts';
import { mapOfEntries } from '../../engine/cel/run/map-key.ts';
import { parseTimestamp } from '../../engine/cel/run/timestamp.ts';
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
  object,
  opaque,
  optionalOf,
  param,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from '../../engine/cel/types.ts';
import { type CelValue, double, int, TypeValue, Uint } from '../../engine/cel/values.ts';

/** Thrown for values and types that only exist with protobuf messages, which Kubernetes' CEL does not have. */
export class NeedsProtobuf extends Error {
  override readonly name = 'NeedsProtobuf';
}

/** The JSON form of a `cel.expr.Value`. */
export type SpecValue = Readonly<Record<string, unknown>>;

/** The JSON form of a `cel.expr.Type`. */
export type SpecType = Readonly<Record<string, unknown>>;

interface SpecList {
  readonly values?: readonly SpecValue[];
}

interface SpecMap {
  readonly entries?: readonly { readonly key: SpecValue; readonly value: SpecValue }[];
}

/** Turns a value of the test data into ours. */
export function fromSpecValue(value: SpecValue): CelValue {
  const [kind, content] = Object.entries(value)[0] ?? ['nullValue', null];
  switch (kind) {
    case 'nullValue':
      return null;
    case 'boolValue':
      return content as boolean;
    case 'int64Value':
      return int(BigInt(content as string));
    case 'uint64Value':
      return new Uint(BigInt(content as string));
    case 'doubleValue':
      return double(Number(content));
    case 'stringValue':
      return content as string;
    case 'bytesValue':
      return new Uint8Array(Buffer.from(content as string, 'base64'));
    case 'typeValue':
      return new TypeValue(content as string);
    case 'listValue':
      return ((content as SpecList).values ?? []).map(fromSpecValue);
    case 'mapValue':
      return mapOfEntries(((content as SpecMap).entries ?? []).map((entry) => [fromSpecValue(entry.key), fromSpecValue(entry.value)]));
    case 'objectValue':
      return fromMessage(content as SpecMessage);
    default:
      throw new NeedsProtobuf(`a value of kind ${kind}`);
  }
}

interface SpecMessage {
  readonly '@type': string;
  readonly value?: unknown;
}

function fromMessage(message: SpecMessage): CelValue {
  const type = message['@type'].replace('type.googleapis.com/', '');
  const parsed =
    type === 'google.protobuf.Timestamp'
      ? parseTimestamp(String(message.value))
      : type === 'google.protobuf.Duration'
        ? parseDuration(String(message.value))
        : undefined;
  if (!parsed) throw new NeedsProtobuf(`a message of type ${type}`);
  return parsed;
}

const PRIMITIVES: Readonly<Record<string, CelType>> = { BOOL, INT64: INT, UINT64: UINT, DOUBLE, STRING, BYTES };

/** Turns a type of the test data into ours. */
export function fromSpecType(type: SpecType): CelType {
  const [kind, content] = Object.entries(type)[0] ?? ['dyn', {}];
  const parts = (content ?? {}) as Readonly<Record<string, SpecType>>;
  switch (kind) {
    case 'dyn':
      return DYN;
    case 'null':
      return NULL;
    case 'primitive':
      return PRIMITIVES[content as string]!;
    case 'wellKnown':
      if (content === 'TIMESTAMP') return TIMESTAMP;
      if (content === 'DURATION') return DURATION;
      throw new NeedsProtobuf(`the type ${String(content)}`);
    case 'listType':
      return listOf(fromSpecType(parts['elemType'] ?? {}));
    case 'mapType':
      return mapOf(fromSpecType(parts['keyType'] ?? {}), fromSpecType(parts['valueType'] ?? {}));
    case 'messageType':
      if (content === 'google.protobuf.Timestamp') return TIMESTAMP;
      if (content === 'google.protobuf.Duration') return DURATION;
      return object(content as string);
    case 'type':
      return typeOf(fromSpecType(parts as SpecType));
    case 'typeParam':
      return param(content as string);
    case 'abstractType': {
      const { name, parameterTypes = [] } = content as { readonly name: string; readonly parameterTypes?: readonly SpecType[] };
      const parameters = parameterTypes.map(fromSpecType);
      return name === 'optional_type' ? optionalOf(parameters[0] ?? DYN) : opaque(name, ...parameters);
    }
    default:
      throw new NeedsProtobuf(`a type of kind ${kind}`);
  }
}
