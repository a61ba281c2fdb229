import type { CelType } from '../types.ts';
import { DYN } from '../types.ts';

/** The types inside a type: element, key and value, parameters. cel-go: common/types/types.go Parameters. */
export function typeParameters(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case 'list':
      return [type.element];
    case 'map':
      return [type.key, type.value];
    case 'optional':
      return [type.value];
    case 'opaque':
      return type.params;
    case 'type':
      return type.of ? [type.of] : [];
    default:
      return [];
  }
}

/** The same type, to the last parameter. cel-go: common/types/types.go IsExactType. */
export function isExactType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'list':
      return isExactType(a.element, (b as typeof a).element);
    case 'map':
      return isExactType(a.key, (b as typeof a).key) && isExactType(a.value, (b as typeof a).value);
    case 'optional':
      return isExactType(a.value, (b as typeof a).value);
    case 'type': {
      const of = (b as typeof a).of;
      return a.of && of ? isExactType(a.of, of) : a.of === of;
    }
    case 'param':
    case 'object':
      return a.name === (b as typeof a).name;
    case 'opaque': {
      const { name, params } = b as typeof a;
      return a.name === name && a.params.length === params.length && a.params.every((each, index) => isExactType(each, params[index]!));
    }
    default:
      return true;
  }
}

export function isDynOrError(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error';
}

/** Whether null may stand where the type is expected. cel-go: checker/types.go internalIsAssignableNull. */
function isNullable(type: CelType): boolean {
  switch (type.kind) {
    case 'null':
    case 'opaque':
    case 'optional':
    case 'object':
    case 'timestamp':
    case 'duration':
      return true;
    default:
      return false;
  }
}

/** Whether `a` matches all that `b` matches, dyn being the widest. cel-go: checker/types.go isEqualOrLessSpecific. */
function isEqualOrLessSpecific(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param') return false;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'list':
      return isEqualOrLessSpecific(a.element, (b as typeof a).element);
    case 'map':
      return isEqualOrLessSpecific(a.key, (b as typeof a).key) && isEqualOrLessSpecific(a.value, (b as typeof a).value);
    case 'optional':
      return isEqualOrLessSpecific(a.value, (b as typeof a).value);
    case 'opaque': {
      const { name, params } = b as typeof a;
      return (
        a.name === name && a.params.length === params.length && a.params.every((each, index) => isEqualOrLessSpecific(each, params[index]!))
      );
    }
    case 'type':
      return true;
    default:
      return isExactType(a, b);
  }
}

/** The wider of two types that are known to unify. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isEqualOrLessSpecific(a, b) ? a : b;
}

/**
 * What is known of the type variables of one expression. Assignability is asked with {@link isAssignable}, which binds
 * variables when the answer is yes and leaves everything as it was when it is no. cel-go: checker/types.go, checker/mapping.go.
 */
export class Unifier {
  private readonly bindings = new Map<string, CelType>();
  /** Bindings to restore when an attempt fails: name and what it was bound to before. */
  private readonly trail: (readonly [name: string, before: CelType | undefined])[] = [];
  private variables = 0;

  /** A type variable that nothing is known of. */
  newVariable(): CelType {
    return { kind: 'param', name: `_var${this.variables++}` };
  }

  /** Whether a value of type `a` may stand where `b` is expected. */
  isAssignable(a: CelType, b: CelType): boolean {
    if (this.unify(a, b)) {
      this.trail.length = 0;
      return true;
    }
    this.restore();
    return false;
  }

  /** The same for two lists of equal length, all or nothing. */
  areAssignable(a: readonly CelType[], b: readonly CelType[]): boolean {
    if (this.unifyAll(a, b)) {
      this.trail.length = 0;
      return true;
    }
    this.restore();
    return false;
  }

  /** The type with its variables replaced by what they are bound to; unbound ones become dyn when `final`. */
  substitute(type: CelType, final: boolean): CelType {
    switch (type.kind) {
      case 'param': {
        const bound = this.bindings.get(type.name);
        if (bound) return this.substitute(bound, final);
        return final ? DYN : type;
      }
      case 'list': {
        const element = this.substitute(type.element, final);
        return element === type.element ? type : { kind: 'list', element };
      }
      case 'map': {
        const key = this.substitute(type.key, final);
        const value = this.substitute(type.value, final);
        return key === type.key && value === type.value ? type : { kind: 'map', key, value };
      }
      case 'optional': {
        const value = this.substitute(type.value, final);
        return value === type.value ? type : { kind: 'optional', value };
      }
      case 'type': {
        if (!type.of) return type;
        const of = this.substitute(type.of, final);
        return of === type.of ? type : { kind: 'type', of };
      }
      case 'opaque': {
        if (type.params.length === 0) return type;
        return { kind: 'opaque', name: type.name, params: type.params.map((each) => this.substitute(each, final)) };
      }
      default:
        return type;
    }
  }

  private bind(name: string, type: CelType): void {
    this.trail.push([name, this.bindings.get(name)]);
    this.bindings.set(name, type);
  }

  private restore(): void {
    for (let entry = this.trail.pop(); entry; entry = this.trail.pop()) {
      if (entry[1] === undefined) this.bindings.delete(entry[0]);
      else this.bindings.set(entry[0], entry[1]);
    }
  }

  private unifyAll(a: readonly CelType[], b: readonly CelType[]): boolean {
    if (a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!this.unify(a[index]!, b[index]!)) return false;
    return true;
  }

  private unify(a: CelType, b: CelType): boolean {
    if (b.kind === 'param') {
      const had = this.bindings.has(b.name) || isExactType(a, b);
      if (this.bindVariable(a, b)) return true;
      if (had) return false;
    }
    if (a.kind === 'param') return this.bindVariable(b, a);
    if (isDynOrError(a) || isDynOrError(b)) return true;
    if (a.kind === 'null') return isNullable(b);
    if (b.kind === 'null') return isNullable(a);
    if (a.kind !== b.kind) return false;
    switch (a.kind) {
      case 'list':
        return this.unify(a.element, (b as typeof a).element);
      case 'map':
        return this.unify(a.key, (b as typeof a).key) && this.unify(a.value, (b as typeof a).value);
      case 'optional':
        return this.unify(a.value, (b as typeof a).value);
      case 'opaque':
        return a.name === (b as typeof a).name && this.unifyAll(a.params, (b as typeof a).params);
      case 'object':
        return a.name === (b as typeof a).name;
      default:
        return true;
    }
  }

  /** Whether the variable is, or may be bound to, the type. cel-go: checker/types.go isValidTypeSubstitution. */
  private bindVariable(type: CelType, variable: CelType & { readonly kind: 'param' }): boolean {
    if (isExactType(type, variable)) return true;
    const bound = this.bindings.get(variable.name);
    if (bound) {
      if (type.kind === bound.kind && isExactType(type, bound)) return true;
      if (!this.unify(type, bound)) return false;
      const wider = mostGeneral(type, bound);
      if (!this.occurs(variable, wider)) this.bind(variable.name, wider);
      return true;
    }
    if (this.occurs(variable, type)) return false;
    this.bind(variable.name, type);
    return true;
  }

  /** Whether the variable is part of the type: such a binding would have no end. */
  private occurs(variable: CelType & { readonly kind: 'param' }, type: CelType): boolean {
    if (type.kind === 'param') {
      if (type.name === variable.name) return true;
      const bound = this.bindings.get(type.name);
      return bound !== undefined && this.occurs(variable, bound);
    }
    return typeParameters(type).some((each) => this.occurs(variable, each));
  }
}
