import { editDistance } from '../../text/suggest.ts';
import type { MacroDeclaration } from '../parse/macro.ts';
import type { CelType } from '../types.ts';
import { formatType } from '../types.ts';
import type { PreparedFunction } from './declarations.ts';

const MAX_HINT_OVERLOADS = 6;

/** What other languages call the functions of CEL. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  any: 'exists',
  some: 'exists',
  every: 'all',
  length: 'size',
  len: 'size',
  count: 'size',
  toLowerCase: 'lowerAscii',
  toUpperCase: 'upperAscii',
  toLower: 'lowerAscii',
  toUpper: 'upperAscii',
  substr: 'substring',
  match: 'matches',
};

/** What other tools call the object that an expression is about, where it is called `self` or `object` here. */
const SUBJECTS: ReadonlySet<string> = new Set(['self', 'object', 'schema', 'instance', 'resource', 'parent']);

/** Fields of every object, which other tools read without saying whose. */
const FIELDS_OF_SUBJECT: ReadonlySet<string> = new Set(['metadata', 'spec', 'status']);

/** As {@link suggest}, for a variable: knows what the object in question is called elsewhere. */
export function suggestVariable(name: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  const near = suggest(name, names);
  const subject = ['self', 'object'].find((each) => names.includes(each));
  if (near !== undefined || subject === undefined) return near;
  if (SUBJECTS.has(name)) return `did you mean '${subject}'?`;
  return FIELDS_OF_SUBJECT.has(name) ? `did you mean '${subject}.${name}'?` : undefined;
}

/** `did you mean 'x'?` with the candidate that goes by this name elsewhere, else with the nearest, when one is near. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  if (Object.hasOwn(ELSEWHERE, name) && names.includes(ELSEWHERE[name]!)) return `did you mean '${ELSEWHERE[name]}'?`;
  let best: string | undefined;
  // A third of the letters may be wrong, and one always, but never all.
  let distance = Math.min(Math.max(1, Math.floor(name.length / 3)), name.length - 1) + 1;
  for (const candidate of names) {
    if (candidate.startsWith('@') || candidate.startsWith('_') || Math.abs(candidate.length - name.length) >= distance) continue;
    const found = editDistance(name.toLowerCase(), candidate.toLowerCase(), distance - 1);
    if (found < distance) {
      distance = found;
      best = candidate;
    }
  }
  return best === undefined ? undefined : `did you mean '${best}'?`;
}

/** What to do about the call of a macro that was not expanded: it has the wrong number of arguments. */
export function hintForMacro(name: string, macros: readonly MacroDeclaration[]): string {
  const counts = [...new Set(macros.map((macro) => macro.argCount))].sort((a, b) => a - b).join(' or ');
  return `'${name}' takes ${counts} argument${counts === '1' ? '' : 's'}`;
}

const COMPARISONS: ReadonlySet<string> = new Set(['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '_+_', '_-_', '_*_', '_/_', '_%_']);
const CONVERTIBLE: ReadonlySet<string> = new Set(['int', 'uint', 'double', 'string', 'timestamp', 'duration', 'bytes', 'bool']);

/** What to do about a call that no overload fits. */
export function hintForOverload(fn: PreparedFunction, member: boolean, args: readonly CelType[]): string | undefined {
  const [left, right] = args;
  if (COMPARISONS.has(fn.name) && left && right) {
    if (left.kind === 'optional' || right.kind === 'optional') return `unwrap the optional first, with .orValue(...) or .value()`;
    if (left.kind !== right.kind && CONVERTIBLE.has(left.kind) && CONVERTIBLE.has(right.kind)) {
      return `both sides must have one type: convert one with ${left.kind}(...) or ${right.kind}(...)`;
    }
    return undefined;
  }
  const style = fn.overloads.filter((each) => each.overload.member === member);
  if (style.length === 0) {
    return member ? `'${fn.name}' is a function, not a method: write ${fn.name}(...)` : `'${fn.name}' is a method: write x.${fn.name}(...)`;
  }
  if (fn.name.startsWith('_') || fn.name.startsWith('@') || style.length > MAX_HINT_OVERLOADS) return undefined;
  const signatures = style.map(({ overload }) => {
    const names = overload.args.map(formatType);
    return member ? `${names[0]}.${fn.name}(${names.slice(1).join(', ')})` : `${fn.name}(${names.join(', ')})`;
  });
  return `there ${signatures.length === 1 ? 'is' : 'are'} ${signatures.join(', ')}`;
}
