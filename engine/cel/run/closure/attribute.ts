import { CelError, type CelValue, LazyStruct, NONE, Optional, type PlainObject, some } from '../../values.ts';
import { ABSENT, checkKey, find, has, select } from '../access.ts';
import { isInherited } from '../inherited.ts';
import { asEvaluationError, attempt, charge, type Evaluate, type Frame, type Result, SELECT_OR_IDENT } from './frame.ts';

/**
 * A chain of field selections and index operations is one unit, as in cel-go's interpreter: it starts somewhere and applies
 * qualifiers; one optional qualifier makes the rest of the chain optional. The way its parts are charged follows from that:
 * each qualifier that is applied costs 1, and the chain as a whole costs 1 for its root. cel-go: interpreter/attributes.go.
 */
export interface Attribute {
  addQualifier(qualifier: Qualifier): void;
  /** The value, without the cost of the chain as a whole. */
  readonly resolve: Evaluate;
  /** A conditional chain has no cost of its own. */
  readonly isConditional: boolean;
}

export interface Qualifier {
  readonly isOptional: boolean;
  apply(frame: Frame, object: CelValue): Result;
  /** Charges only when something is there. */
  applyIfPresent(frame: Frame, object: CelValue): Result | typeof ABSENT;
}

/** A chain from a variable or from the value of an expression. */
export function chainFrom(root: Evaluate): Attribute {
  const qualifiers: Qualifier[] = [];
  return {
    isConditional: false,
    addQualifier: (qualifier) => void qualifiers.push(qualifier),
    resolve: (frame) => {
      const object = root(frame);
      return object instanceof CelError || qualifiers.length === 0 ? object : applyAll(frame, object, qualifiers);
    },
  };
}

function applyAll(frame: Frame, root: CelValue, qualifiers: readonly Qualifier[]): Result {
  let object = root;
  let isOptional = false;
  if (root instanceof Optional) {
    if (!root.present) return root;
    object = root.value;
    isOptional = true;
  }
  for (const qualifier of qualifiers) {
    if (qualifier.isOptional) isOptional = true;
    const next = isOptional ? qualifier.applyIfPresent(frame, object) : qualifier.apply(frame, object);
    if (next === ABSENT) return NONE;
    if (next instanceof CelError) return next;
    object = next;
  }
  return isOptional ? some(object) : object;
}

/** `condition ? a : b` as the start of a chain: a qualifier goes to both branches. */
export function conditionalChain(condition: Evaluate, whenTrue: Attribute, whenFalse: Attribute, noOverload: () => CelError): Attribute {
  return {
    isConditional: true,
    addQualifier: (qualifier) => {
      whenTrue.addQualifier(qualifier);
      whenFalse.addQualifier(qualifier);
    },
    resolve: (frame) => {
      const test = condition(frame);
      if (test === true) return whenTrue.resolve(frame);
      if (test === false) return whenFalse.resolve(frame);
      return test instanceof CelError ? test : noOverload();
    },
  };
}

/** `.field`, `.?field`, and `[key]` with a constant key. */
export function constantQualifier(nodeId: number, key: CelValue, isOptional: boolean): Qualifier {
  const field = typeof key === 'string' && !isInherited(key) ? key : undefined;
  return {
    isOptional,
    apply: (frame, object) => {
      const result = (field === undefined ? undefined : jsonField(object, field)) ?? selected(nodeId, object, key);
      charge(frame, SELECT_OR_IDENT);
      frame.record?.(nodeId, result);
      return result;
    },
    applyIfPresent: (frame, object) => {
      const result = lookUp(nodeId, object, key);
      if (result === ABSENT || result instanceof CelError) return result;
      charge(frame, SELECT_OR_IDENT);
      frame.record?.(nodeId, result);
      return result;
    },
  };
}

/** The field of `has(e.field)`. */
export function presenceQualifier(nodeId: number, field: string): Qualifier {
  return {
    isOptional: false,
    apply: (frame, object) => {
      const result = present(nodeId, object, field);
      charge(frame, SELECT_OR_IDENT);
      return result;
    },
    applyIfPresent: (frame, object) => {
      const result = present(nodeId, object, field);
      if (result === false) return ABSENT;
      if (result instanceof CelError) return result;
      charge(frame, SELECT_OR_IDENT);
      return null;
    },
  };
}

/** `[key]` with a key of run time: a chain, or with `isComputed` another expression. `key` charges what it costs. */
export function computedQualifier(nodeId: number, key: Evaluate, isComputed: boolean, isOptional: boolean): Qualifier {
  const keyOf = (frame: Frame): Result => {
    const value = key(frame);
    return value instanceof CelError
      ? value
      : attempt(nodeId, () => {
          checkKey(value, isComputed);
          return value;
        });
  };
  return {
    isOptional,
    apply: (frame, object) => {
      const keyValue = keyOf(frame);
      const result = keyValue instanceof CelError ? keyValue : selected(nodeId, object, keyValue);
      charge(frame, SELECT_OR_IDENT);
      frame.record?.(nodeId, result);
      return result;
    },
    applyIfPresent: (frame, object) => {
      const keyValue = keyOf(frame);
      if (keyValue instanceof CelError) return keyValue;
      const result = lookUp(nodeId, object, keyValue);
      if (result === ABSENT || result instanceof CelError) return result;
      charge(frame, SELECT_OR_IDENT);
      frame.record?.(nodeId, result);
      return result;
    },
  };
}

/** A field of parsed JSON by a name that nothing inherits; undefined or null where {@link selected} has to say. */
function jsonField(object: CelValue, field: string): CelValue | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null ? (object as PlainObject)[field] : undefined;
}

/** `select` with the error as a value. */
function selected(nodeId: number, object: CelValue, key: CelValue): Result {
  try {
    return select(object, key);
  } catch (error) {
    return asEvaluationError(nodeId, error);
  }
}

/** `has` with the error as a value. */
function present(nodeId: number, object: CelValue, field: string): Result {
  try {
    return has(object, field);
  } catch (error) {
    return asEvaluationError(nodeId, error);
  }
}

function lookUp(nodeId: number, object: CelValue, key: CelValue): Result | typeof ABSENT {
  try {
    if (object instanceof LazyStruct) return typeof key === 'string' && object.has(key) ? object.get(key) : ABSENT;
    return find(object, key);
  } catch (error) {
    return asEvaluationError(nodeId, error);
  }
}
