import type { StructuralSchema } from './structural.ts';

/** A step of a path: a field, or the key of a map. */
const STEP = /\.([^.[\]]+)|\[('(?:[^'\\]|\\.)*')\]/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ["'", "'"],
  ['\\', '\\'],
]);

/**
 * The `fieldPath` of a rule, as `.spec.foo['a b']`, in the form of field errors: `spec.foo[a b]`, and what stands there; or what
 * is wrong with it. Kubernetes: apiextensions-apiserver pkg/apiserver/schema/cel/validation.go ValidFieldPath.
 */
export function fieldPathOf(
  path: string,
  root: StructuralSchema,
  options: { readonly arrays?: boolean } = {},
): { readonly path: string; readonly schema: StructuralSchema } | { readonly error: string } {
  let schema = root;
  let out = '';
  STEP.lastIndex = 0;
  for (let at = 0; at < path.length; at = STEP.lastIndex) {
    if (path[at] !== '.' && path[at] !== '[')
      return { error: `expected [ or . but got: ${/^[^.[\]]*/.exec(path.slice(at))?.[0] || path[at]}` };
    if (path[at] === '[' && options.arrays === false) return { error: 'array notation is not allowed' };
    STEP.lastIndex = at;
    const match = STEP.exec(path);
    if (match === null) return { error: stepError(path.slice(at)) };
    const name = match[1] ?? unquote((match[2] as string).slice(1, -1));
    if (name === undefined) return { error: 'invalid string literal: invalid escape char' };
    const declared = schema.properties.get(name);
    if (schema.properties.size > 0) {
      if (declared === undefined) return { error: 'does not refer to a valid field' };
      schema = declared;
      out += out === '' ? name : `.${name}`;
    } else if (schema.additional !== undefined && schema.additional !== true) {
      schema = schema.additional;
      out += `[${name}]`;
    } else return { error: 'does not refer to a valid field' };
  }
  return { path: out, schema };
}

function stepError(rest: string): string {
  if (rest.length === 1) return 'unexpected end of JSON path';
  if (rest[0] === '.') return 'does not refer to a valid field';
  return `expected single quoted string but got ${/^[^.[\]]+/.exec(rest.slice(1))?.[0] ?? rest[1]}`;
}

function unquote(quoted: string): string | undefined {
  let known = true;
  const plain = quoted.replace(/\\(.)/g, (_, char: string) => {
    const found = ESCAPES.get(char);
    if (found === undefined) known = false;
    return found ?? '';
  });
  return known ? plain : undefined;
}
