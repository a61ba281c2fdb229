import type { EnvironmentOptions } from '../environment.ts';
import type { Library, MacroDeclaration } from '../function.ts';
import { STANDARD } from '../libraries/standard/standard.ts';
import { STANDARD_MACROS } from '../parse/standard-macros.ts';
import type { TypeProvider } from '../types.ts';
import type { Declarations } from './declarations.ts';
import { prepareDeclarations } from './declarations.ts';
import type { CheckEnvironment } from './scope.ts';
import { VariableTable } from './scope.ts';

/** An environment in the form that the parser and the checker work with. */
export interface EnvironmentTables extends CheckEnvironment {
  readonly libraries: readonly Library[];
  readonly macros: readonly MacroDeclaration[];
  readonly crossTypeComparisons: boolean;
  readonly homogeneousLiterals: boolean;
  readonly literalValidators: boolean;
}

/** Tables that a list of libraries gives; shared by all environments with the same list. */
interface LibraryTables {
  readonly declarations: Declarations;
  readonly macros: readonly MacroDeclaration[];
}

/** So many different lists of libraries are remembered. */
const MAX_REMEMBERED = 64;
const remembered = new Map<string, LibraryTables>();
const libraryIds = new WeakMap<Library, number>();
let nextLibraryId = 1;

function libraryId(library: Library): number {
  let id = libraryIds.get(library);
  if (id === undefined) {
    id = nextLibraryId++;
    libraryIds.set(library, id);
  }
  return id;
}

function libraryTables(libraries: readonly Library[], crossTypeComparisons: boolean): LibraryTables {
  const key = `${crossTypeComparisons}:${libraries.map(libraryId).join(',')}`;
  const known = remembered.get(key);
  if (known) return known;
  const tables: LibraryTables = {
    declarations: prepareDeclarations([STANDARD, ...libraries], { crossTypeComparisons }),
    macros: [...STANDARD_MACROS, ...libraries.flatMap((library) => library.macros ?? [])],
  };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(key, tables);
  return tables;
}

/** Tables for a new environment, or for one that adds to `base`: its variables, types and libraries come on top. */
export function environmentTables(
  options: EnvironmentOptions,
  base: EnvironmentTables | undefined,
  defaultLibraries: readonly Library[],
): EnvironmentTables {
  const libraries = base ? withLibraries(base.libraries, options.libraries ?? []) : (options.libraries ?? defaultLibraries);
  const crossTypeComparisons = options.crossTypeComparisons ?? base?.crossTypeComparisons ?? true;
  return {
    libraries,
    crossTypeComparisons,
    ...libraryTables(libraries, crossTypeComparisons),
    variables: options.variables || !base ? new VariableTable(options.variables ?? {}, base?.variables) : base.variables,
    types: options.types && base?.types ? combineTypes(options.types, base.types) : (options.types ?? base?.types),
    container: options.container ?? base?.container ?? '',
    homogeneousLiterals: options.homogeneousLiterals ?? base?.homogeneousLiterals ?? true,
    literalValidators: options.literalValidators ?? base?.literalValidators ?? true,
  };
}

function withLibraries(libraries: readonly Library[], more: readonly Library[]): readonly Library[] {
  const added = more.filter((library) => !libraries.includes(library));
  return added.length === 0 ? libraries : [...libraries, ...added];
}

/** Providers as one; where two know a type, the first one's counts. */
export function combineTypes(...providers: readonly TypeProvider[]): TypeProvider {
  return {
    structType(name) {
      for (const provider of providers) {
        const found = provider.structType(name);
        if (found) return found;
      }
      return undefined;
    },
  };
}
