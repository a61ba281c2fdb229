import type { FunctionDeclaration, Library, Overload } from '../function.ts';
import type { Reference } from '../program.ts';
import type { CelType } from '../types.ts';
import { typeParameters } from './type-relations.ts';

/** An overload as the checker wants it: its type variables are known. */
export interface PreparedOverload {
  readonly overload: Overload;
  /** Names of the type variables in its signature. */
  readonly variables: readonly string[];
  /** What a call refers to when this is the only overload possible. */
  readonly reference: Reference;
}

/** All overloads of one function name, of all libraries. */
export interface PreparedFunction {
  readonly name: string;
  readonly overloads: readonly PreparedOverload[];
}

/** A name with a type: a variable, a type, or a constant. */
export interface Declaration {
  readonly type: CelType;
  readonly reference: Reference;
}

/** The functions and identifiers of a list of libraries. Made once per list and shared by every environment that uses it. */
export interface Declarations {
  readonly functions: FunctionTable;
  readonly identifiers: ReadonlyMap<string, Declaration>;
}

/** Functions by name. Most expressions use a few of some hundred, so each is prepared when it is first asked for. */
export interface FunctionTable {
  get(name: string): PreparedFunction | undefined;
  /** All of them, for suggestions. */
  values(): Iterable<PreparedFunction>;
}

/** Ids of the overloads that compare numbers of two types. cel-go: checker/env.go crossTypeNumericComparisonOverloads. */
const CROSS_TYPE_OVERLOAD = /^(?:less|less_equals|greater|greater_equals)_(int64|uint64|double)_(int64|uint64|double)$/;

export function isCrossTypeComparison(overloadId: string): boolean {
  const match = CROSS_TYPE_OVERLOAD.exec(overloadId);
  return match !== null && match[1] !== match[2];
}

/** Puts the libraries' declarations together; overloads of one name keep the order of the libraries. */
export function prepareDeclarations(libraries: readonly Library[], options: { readonly crossTypeComparisons: boolean }): Declarations {
  const declared = new Map<string, FunctionDeclaration[]>();
  const identifiers = new Map<string, Declaration>();
  for (const library of libraries) {
    for (const declaration of library.functions) {
      const before = declared.get(declaration.name);
      if (before === undefined) declared.set(declaration.name, [declaration]);
      else before.push(declaration);
    }
    for (const [name, { type, value }] of Object.entries(library.identifiers ?? {})) {
      identifiers.set(name, { type, reference: { kind: 'constant', name, value } });
    }
  }
  return { functions: functionTable(declared, options.crossTypeComparisons), identifiers };
}

function functionTable(declared: ReadonlyMap<string, readonly FunctionDeclaration[]>, crossTypeComparisons: boolean): FunctionTable {
  const prepared = new Map<string, PreparedFunction>();
  const get = (name: string): PreparedFunction | undefined => {
    let found = prepared.get(name);
    if (found === undefined) {
      found = declared
        .get(name)
        ?.map((declaration) => prepareFunction(declaration, crossTypeComparisons))
        .reduce(merge);
      if (found !== undefined) prepared.set(name, found);
    }
    return found;
  };
  return {
    get,
    *values() {
      for (const name of declared.keys()) yield get(name) as PreparedFunction;
    },
  };
}

function prepareFunction({ name, overloads }: FunctionDeclaration, crossTypeComparisons: boolean): PreparedFunction {
  return {
    name,
    overloads: overloads
      .filter((overload) => crossTypeComparisons || !isCrossTypeComparison(overload.id))
      .map((overload) => ({
        overload,
        variables: typeVariables([...overload.args, overload.result]),
        reference: { kind: 'function', name, overloads: [overload] },
      })),
  };
}

/** Two libraries may add to one function; an overload declared twice counts once. */
function merge(before: PreparedFunction, more: PreparedFunction): PreparedFunction {
  const known = new Set(before.overloads.map((each) => each.overload.id));
  return { name: before.name, overloads: [...before.overloads, ...more.overloads.filter((each) => !known.has(each.overload.id))] };
}

function typeVariables(types: readonly CelType[]): readonly string[] {
  const names = new Set<string>();
  const visit = (type: CelType): void => {
    if (type.kind === 'param') names.add(type.name);
    else typeParameters(type).forEach(visit);
  };
  types.forEach(visit);
  return [...names];
}

/** Names that a name may stand for in a container, the innermost first. cel-go: common/containers ResolveCandidateNames. */
export function candidateNames(container: string, name: string): readonly string[] {
  if (name.startsWith('.')) return [name.slice(1)];
  if (container === '') return [name];
  const candidates: string[] = [];
  for (let prefix = container; prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))) {
    candidates.push(`${prefix}.${name}`);
  }
  candidates.push(name);
  return candidates;
}
