import type { MacroDeclaration } from '../parse/macro.ts';
import type { Reference } from '../program.ts';
import type { CelType, TypeProvider } from '../types.ts';
import { typeOf } from '../types.ts';
import { TypeValue } from '../values.ts';
import type { Declaration, Declarations, PreparedFunction } from './declarations.ts';
import { candidateNames } from './declarations.ts';

/** What expressions are checked against. Immutable, shared by all expressions of an environment. */
export interface CheckEnvironment {
  readonly declarations: Declarations;
  /** Variables by full name. */
  readonly variables: VariableTable;
  readonly types: TypeProvider | undefined;
  readonly container: string;
  /** Macros that the parser has expanded, for suggestions: a call that looks like one is a misspelt one. */
  readonly macros?: readonly MacroDeclaration[];
}

/** Variables in layers: an environment that extends another adds a layer and shares the rest. */
export class VariableTable {
  private readonly own: ReadonlyMap<string, Declaration>;

  constructor(
    variables: Readonly<Record<string, CelType>>,
    private readonly parent: VariableTable | undefined,
  ) {
    this.own = new Map(Object.entries(variables).map(([name, type]) => [name, { type, reference: { kind: 'variable', name } }]));
  }

  get(name: string): Declaration | undefined {
    return this.own.get(name) ?? this.parent?.get(name);
  }

  *names(): Iterable<string> {
    yield* this.own.keys();
    if (this.parent) yield* this.parent.names();
  }
}

/** A comprehension's variable. */
export interface LocalVariable {
  readonly name: string;
  readonly type: CelType;
  readonly reference: Reference;
}

/** Name resolution for one expression: comprehension variables over the environment. cel-go: checker/env.go. */
export class Scope {
  private readonly locals: LocalVariable[] = [];

  constructor(readonly environment: CheckEnvironment) {}

  push(name: string, type: CelType): void {
    this.locals.push({ name, type, reference: { kind: 'variable', name } });
  }

  pop(count: number): void {
    this.locals.length -= count;
  }

  local(name: string): LocalVariable | undefined {
    for (let index = this.locals.length - 1; index >= 0; index--) {
      if (this.locals[index]!.name === name) return this.locals[index];
    }
    return undefined;
  }

  localNames(): Iterable<string> {
    return this.locals.map((each) => each.name);
  }

  /** A plain identifier; a leading dot skips the comprehension variables. */
  resolveIdent(name: string): Declaration | undefined {
    const absolute = name.startsWith('.');
    const local = this.locals.length === 0 ? undefined : this.local(absolute ? name.slice(1) : name);
    if (local && !absolute) return local;
    return this.resolveGlobal(name, local !== undefined);
  }

  /** A dotted name as one identifier: a variable such as `authorizer.requestResource`, or a type. */
  resolveQualified(first: string, qualifiedName: string): Declaration | undefined {
    const absolute = first.startsWith('.');
    const local = this.locals.length === 0 ? undefined : this.local(absolute ? first.slice(1) : first);
    // A comprehension variable is selected from, whatever is declared under the dotted name.
    if (local && !absolute) return undefined;
    return this.resolveGlobal(qualifiedName, local !== undefined);
  }

  private resolveGlobal(name: string, shadowed: boolean): Declaration | undefined {
    for (const candidate of candidateNames(this.environment.container, name)) {
      const declaration = this.global(candidate);
      if (!declaration) continue;
      if (!shadowed || declaration.reference.kind !== 'variable') return declaration;
      return { type: declaration.type, reference: { kind: 'variable', name: `.${candidate}` } };
    }
    return undefined;
  }

  private global(name: string): Declaration | undefined {
    const { variables, declarations, types } = this.environment;
    const known = variables.get(name) ?? declarations.identifiers.get(name);
    if (known) return known;
    const struct = types?.structType(name);
    if (!struct) return undefined;
    return { type: typeOf({ kind: 'object', name: struct.name }), reference: { kind: 'constant', name, value: new TypeValue(name) } };
  }

  /** A type's name in `Name{...}`. */
  resolveTypeName(name: string): Declaration | undefined {
    const { declarations, types } = this.environment;
    for (const candidate of candidateNames(this.environment.container, name)) {
      const identifier = declarations.identifiers.get(candidate);
      if (identifier?.type.kind === 'type') return identifier;
      const struct = types?.structType(candidate);
      if (struct) {
        const type = typeOf({ kind: 'object', name: struct.name });
        return { type, reference: { kind: 'constant', name: struct.name, value: new TypeValue(struct.name) } };
      }
    }
    return undefined;
  }

  resolveFunction(name: string): PreparedFunction | undefined {
    const { functions } = this.environment.declarations;
    if (this.environment.container === '' && !name.startsWith('.')) return functions.get(name);
    for (const candidate of candidateNames(this.environment.container, name)) {
      const found = functions.get(candidate);
      if (found) return found;
    }
    return undefined;
  }
}
