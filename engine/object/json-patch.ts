import { goAtoi } from './go-format.ts';
import { cloneJson, isJsonObject, type Json, type JsonObject, jsonEqual, MAX_JSON_DEPTH, measureJson, ownValue, setOwn } from './json.ts';
import { parsePointer, splitTokens } from './json-pointer.ts';

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/**
 * `rfc6902`: the standard, to the letter.
 *
 * `apiserver`: as the API server applies the `jsonPatch` of a MutatingAdmissionPolicy, with the freedoms of its library:
 * `replace` of a missing key adds it, `copy` of a missing key gives null, indices may be negative, have a sign or leading
 * zeros, the root can't be added, removed or the target of a copy, a missing `value` is null, and a `test` against a null
 * literal holds for `{}` and `[]` but not for null.
 * Kubernetes: pkg/admission/plugin/policy/mutating/patch/json_patch.go over gopkg.in/evanphx/json-patch.v4.
 */
export type PatchDialect = 'rfc6902' | 'apiserver';

export interface ApplyPatchOptions {
  /** Default: `rfc6902`. */
  readonly dialect?: PatchDialect;
  /** Bytes that all `copy` operations may add together. Default: 3 MiB, as the API server. */
  readonly maxCopyBytes?: number;
  /** Operations of one patch. Default: 10 000, as the API server's PATCH. */
  readonly maxOperations?: number;
}

export type PatchOutcome =
  | { readonly ok: true; readonly value: Json }
  | {
      readonly ok: false;
      /** `test-failed`: a `test` operation did not hold; for a MutatingAdmissionPolicy that is no error but no mutation. */
      readonly kind: 'test-failed' | 'error';
      /** The text of the API server's library, word for word. */
      readonly message: string;
      /** Which operation, from 0. */
      readonly index: number;
    };

const DEFAULT_MAX_COPY_BYTES = 3 * 1024 * 1024;
const DEFAULT_MAX_OPERATIONS = 10_000;

/**
 * Applies a JSON Patch, all of it or nothing. The document is not changed; the result shares with it what the patch did not
 * touch. Operations may come from expressions: they are checked here, whatever their static type says.
 */
export function applyPatch(document: Json, patch: readonly PatchOperation[], options: ApplyPatchOptions = {}): PatchOutcome {
  const maxOperations = options.maxOperations ?? DEFAULT_MAX_OPERATIONS;
  if (patch.length > maxOperations) {
    const message = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`;
    return { ok: false, kind: 'error', message, index: maxOperations };
  }
  const state = new PatchState(document, options.dialect ?? 'rfc6902', options.maxCopyBytes ?? DEFAULT_MAX_COPY_BYTES);
  for (let index = 0; index < patch.length; index++) {
    try {
      state.apply(patch[index] as RawOperation);
    } catch (error) {
      if (error instanceof PatchFailure) return { ok: false, kind: error.kind, message: error.message, index };
      throw error;
    }
  }
  return { ok: true, value: state.root };
}

/** An operation before anything is known of it. */
interface RawOperation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

type List = Json[];
type Map = { [key: string]: Json };
type Container = List | Map;

/** Not an `Error`: a failed `test` is a normal outcome, and a stack trace would cost more than the patch. */
class PatchFailure {
  constructor(
    readonly message: string,
    readonly kind: 'test-failed' | 'error' = 'error',
  ) {}
}

const MISSING = 'missing value';

/** A document being patched: copy on write, each container at most once. */
class PatchState {
  root: Json;
  /** Containers this patch has made, which it may therefore change. */
  readonly #owned = new Set<unknown>();
  readonly #strict: boolean;
  readonly #maxCopyBytes: number;
  #copied = 0;

  constructor(root: Json, dialect: PatchDialect, maxCopyBytes: number) {
    this.root = root;
    this.#strict = dialect === 'rfc6902';
    this.#maxCopyBytes = maxCopyBytes;
  }

  apply(operation: RawOperation): void {
    const { op } = operation;
    if (op === 'add') this.#add(operation);
    else if (op === 'remove') this.#remove(operation);
    else if (op === 'replace') this.#replace(operation);
    else if (op === 'move') this.#move(operation);
    else if (op === 'copy') this.#copy(operation);
    else if (op === 'test') this.#test(operation);
    else throw new PatchFailure(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
  }

  #add(operation: RawOperation): void {
    const path = text(operation.path, `add operation failed to decode path: ${MISSING}`);
    const value = this.#value(operation, 'add');
    if (path === '' && this.#strict) {
      this.root = value;
      return;
    }
    const parent = this.#parent(path, true);
    if (!parent) throw new PatchFailure(`add operation does not apply: doc is missing path: "${path}": ${MISSING}`);
    this.#checkDepth(parent.depth, value);
    this.#insert(parent, value, (reason) => `error in add for path: '${path}': ${reason}`);
  }

  #remove(operation: RawOperation): void {
    const path = text(operation.path, `remove operation failed to decode path: ${MISSING}`);
    const parent = this.#parent(path, true);
    if (!parent) throw new PatchFailure(`remove operation does not apply: doc is missing path: "${path}": ${MISSING}`);
    this.#delete(parent, (reason) => `error in remove for path: '${path}': ${reason}`);
  }

  #replace(operation: RawOperation): void {
    const path = text(operation.path, `replace operation failed to decode path: operation missing path field: ${MISSING}`);
    const value = this.#value(operation, 'replace');
    if (path === '') {
      if (!this.#strict && (typeof value !== 'object' || value === null)) {
        throw new PatchFailure('replace operation value must be object or array: %!w(<nil>)');
      }
      this.root = value;
      return;
    }
    const parent = this.#parent(path, true);
    if (!parent) throw new PatchFailure(`replace operation does not apply: doc is missing path: ${path}: ${MISSING}`);
    const missing = `replace operation does not apply: doc is missing key: ${path}: ${MISSING}`;
    this.#checkDepth(parent.depth, value);
    if (Array.isArray(parent.container)) {
      const index = this.#index(parent.container, parent.key);
      if (typeof index === 'string') throw new PatchFailure(missing);
      parent.container[index] = value;
      return;
    }
    if (this.#strict && !Object.hasOwn(parent.container, parent.key)) throw new PatchFailure(missing);
    setOwn(parent.container, parent.key, value);
  }

  #move(operation: RawOperation): void {
    const from = text(operation.from, `move operation failed to decode from: operation, missing from field: ${MISSING}`);
    const source = this.#parent(from, true);
    if (!source) throw new PatchFailure(`move operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
    const failed = (reason: string): string => `error in move for path: '${source.key}': ${reason}`;
    const value = this.#read(source, failed) ?? null;
    this.#delete(source, failed);
    const path = text(operation.path, `move operation failed to decode path: operation missing path field: ${MISSING}`);
    this.#place(path, value, 'move', (reason) => `error in move for path: '${path}': ${reason}`);
  }

  #copy(operation: RawOperation): void {
    const from = text(operation.from, `copy operation failed to decode from: operation, missing from field: ${MISSING}`);
    let value: Json;
    if (from === '' && this.#strict) value = this.root;
    else {
      const source = this.#parent(from, false);
      if (!source) throw new PatchFailure(`copy operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
      const found = this.#read(source, (reason) => `error in copy for from: '${from}': ${reason}`);
      if (found === undefined && this.#strict) {
        throw new PatchFailure(`error in copy for from: '${from}': Unable to copy nonexistent key: ${source.key}: ${MISSING}`);
      }
      value = found ?? null;
    }
    const path = text(operation.path, `copy operation failed to decode path: ${MISSING}`);
    const { size } = measureJson(value, this.#maxCopyBytes);
    this.#copied += size;
    if (this.#copied > this.#maxCopyBytes) {
      const limit = `the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${this.#maxCopyBytes}`;
      throw new PatchFailure(`Unable to complete the copy, ${limit}`);
    }
    // The original may be a container of ours that later operations change in place, so the copy must be its own.
    this.#checkDepth(0, value);
    this.#place(path, cloneJson(value), 'copy', (reason) => `error while adding value during copy: ${reason}`);
  }

  #place(path: string, value: Json, kind: 'move' | 'copy', failed: (reason: string) => string): void {
    if (path === '' && this.#strict) {
      this.root = value;
      return;
    }
    const target = this.#parent(path, true);
    if (!target) throw new PatchFailure(`${kind} operation does not apply: doc is missing destination path: ${path}: ${MISSING}`);
    this.#checkDepth(target.depth, value);
    this.#insert(target, value, failed);
  }

  #test(operation: RawOperation): void {
    const path = text(operation.path, `test operation failed to decode path: operation missing path field: ${MISSING}`);
    let actual: Json | undefined;
    if (path === '') actual = this.root;
    else {
      const parent = this.#parent(path, false);
      if (!parent) throw new PatchFailure(`test operation does not apply: is missing path: ${path}: ${MISSING}`);
      actual = this.#read(parent, (reason) => `error in test for path: '${path}': ${reason}`);
    }
    if (!this.#holds(actual, operation)) throw new PatchFailure(`testing value ${path} failed: test failed`, 'test-failed');
  }

  #holds(actual: Json | undefined, operation: RawOperation): boolean {
    if (this.#strict) return jsonEqual(actual, this.#value(operation, 'test'));
    const given = Object.hasOwn(operation, 'value');
    if (actual === undefined || actual === null) return !given;
    if (!given) return false;
    if (operation.value === null) return isEmptyContainer(actual);
    return jsonEqual(actual, operation.value as Json);
  }

  #value(operation: RawOperation, kind: string): Json {
    if (operation.value !== undefined) return operation.value as Json;
    if (this.#strict) throw new PatchFailure(`${kind} operation, missing value field: ${MISSING}`);
    return null;
  }

  /** The container that holds what `path` names, and the last token; undefined where there is no such container. */
  #parent(path: string, write: boolean): { container: Container; key: string; depth: number } | undefined {
    const tokens = this.#strict ? parsePointer(path) : splitTokens(path);
    if (!tokens) throw new PatchFailure(`invalid JSON pointer '${path}'`);
    if (tokens.length === 0) return undefined;
    if (tokens.length > MAX_JSON_DEPTH) return undefined;
    if (write) this.root = this.#own(this.root);
    let node: Json = this.root;
    for (let i = 0; i < tokens.length - 1; i++) {
      if (typeof node !== 'object' || node === null) return undefined;
      const container = node as Container;
      const slot = Array.isArray(container) ? this.#index(container, tokens[i] as string) : (tokens[i] as string);
      if (Array.isArray(container)) {
        if (typeof slot === 'string') return undefined;
        const child: Json = container[slot] as Json;
        node = write ? this.#own(child) : child;
        if (node !== child) container[slot] = node;
      } else {
        const child = ownValue(container, slot as string);
        if (child === undefined) return undefined;
        node = write ? this.#own(child) : child;
        if (node !== child) setOwn(container, slot as string, node);
      }
    }
    if (typeof node !== 'object' || node === null) return undefined;
    return { container: node as Container, key: tokens[tokens.length - 1] as string, depth: tokens.length };
  }

  #own(node: Json): Json {
    if (typeof node !== 'object' || node === null || this.#owned.has(node)) return node;
    const copy = Array.isArray(node) ? node.slice() : { ...node };
    this.#owned.add(copy);
    return copy;
  }

  /** Undefined where a map has no such key; throws where a list has no such index. */
  #read(parent: { container: Container; key: string }, failed: (reason: string) => string): Json | undefined {
    if (!Array.isArray(parent.container)) return ownValue(parent.container, parent.key);
    const index = this.#index(parent.container, parent.key);
    if (typeof index === 'string') throw new PatchFailure(failed(index));
    return parent.container[index];
  }

  #insert(parent: { container: Container; key: string }, value: Json, failed: (reason: string) => string): void {
    const { container, key } = parent;
    if (!Array.isArray(container)) {
      setOwn(container, key, value);
      return;
    }
    if (key === '-') {
      container.push(value);
      return;
    }
    let index = this.#number(key);
    if (typeof index === 'string')
      throw new PatchFailure(failed(this.#strict ? index : `value was not a proper array index: '${key}': ${index}`));
    const length = container.length + 1;
    if (index >= length || index < -length || (this.#strict && index < 0)) throw new PatchFailure(failed(invalidIndex(index)));
    if (index < 0) index += length;
    container.splice(index, 0, value);
  }

  #delete(parent: { container: Container; key: string }, failed: (reason: string) => string): void {
    const { container, key } = parent;
    if (Array.isArray(container)) {
      const index = this.#index(container, key);
      if (typeof index === 'string') throw new PatchFailure(failed(index));
      container.splice(index, 1);
      return;
    }
    if (!Object.hasOwn(container, key)) throw new PatchFailure(failed(`Unable to remove nonexistent key: ${key}: ${MISSING}`));
    delete container[key];
  }

  /** The index of an existing element, or why there is none. */
  #index(list: readonly Json[], token: string): number | string {
    const index = this.#number(token);
    if (typeof index === 'string') return index;
    if (index >= list.length || index < -list.length || (this.#strict && index < 0)) return invalidIndex(index);
    return index < 0 ? index + list.length : index;
  }

  #number(token: string): number | string {
    if (this.#strict && !/^(0|[1-9][0-9]*)$/.test(token) && /^[+-]?[0-9]+$/.test(token)) {
      return `value was not a proper array index: '${token}': signs and leading zeros are not allowed`;
    }
    return goAtoi(token);
  }

  /** Copies and moves can nest a document into itself; nothing deeper than the limit may come out. */
  #checkDepth(above: number, value: Json): void {
    if (typeof value !== 'object' || value === null) return;
    if (above + measureJson(value).depth > MAX_JSON_DEPTH)
      throw new PatchFailure(`document would nest deeper than ${MAX_JSON_DEPTH} levels`);
  }
}

function text(value: unknown, otherwise: string): string {
  if (typeof value !== 'string') throw new PatchFailure(otherwise);
  return value;
}

function invalidIndex(index: number): string {
  return `Unable to access invalid index: ${index}: invalid index referenced`;
}

function isEmptyContainer(value: Json): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value as JsonObject).length === 0;
}
