import { CelError, type CelValue, type PlainObject, Struct } from '../values.ts';
import { goTypeName } from './access.ts';

/**
 * Makes a message. The fields of a JSONPatch other than `value` have to be strings, which is known only now when they are dyn.
 * Kubernetes: pkg/cel/mutation/jsonpatch.go.
 */
export function construct(typeName: string, fields: PlainObject): Struct {
  if (typeName === 'JSONPatch') {
    for (const name of ['op', 'path', 'from']) {
      if (Object.hasOwn(fields, name) && typeof fields[name] !== 'string') {
        throw new CelError(`unexpected type ${goNativeName(fields[name]!)} for JSONPatchType '${name}' field`);
      }
    }
  }
  return new Struct(typeName, fields);
}

/** The Go type behind a value, as messages about wrong types name it. */
function goNativeName(value: CelValue): string {
  const name = goTypeName(value);
  const natives: Readonly<Record<string, string>> = {
    'types.Bool': 'bool',
    'types.Int': 'int64',
    'types.Uint': 'uint64',
    'types.Double': 'float64',
    'types.Null': 'structpb.NullValue',
    'types.Bytes': '[]uint8',
  };
  return natives[name] ?? name;
}

/** cel-go's error for `{?key: value}` where the value is no optional. */
export const notOptionalEntry = (key: string, value: string): CelError =>
  new CelError(`cannot initialize optional entry '${key}' from non-optional value ${value}`);

/** cel-go's error for `[?element]` where the element is no optional. */
export const notOptionalElement = (value: string): CelError =>
  new CelError(`cannot initialize optional list element from non-optional value ${value}`);
