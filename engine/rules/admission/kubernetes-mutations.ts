import { CelError, type CelValue, Struct } from '../../cel/values.ts';
import { applyConfiguration } from '../../object/apply-configuration.ts';
import { celToJson } from '../../object/cel-to-json.ts';
import { decodeObject } from '../../object/decode.ts';
import { isJsonObject, type Json, type JsonObject } from '../../object/json.ts';
import { applyPatch, type PatchOperation } from '../../object/json-patch.ts';
import type { TypeTable } from '../../object/type-table.ts';
import { checkTypedValue, formatTypedValueErrors } from '../../object/typed-value.ts';
import type { MutationContext, MutationResult, MutationStep } from './mutation.ts';
import { patchValue } from './patch-value.ts';
import type { Expression } from './policy.ts';
import { checkStructNames } from './struct-names.ts';

/** What the two kinds of Kubernetes' mutations need beside their expression. */
export interface MutationOptions {
  readonly index: number;
  readonly types: TypeTable | undefined;
  readonly atomics: 'refuse' | 'replace';
  /**
   * What a patched object is taken for. `typed`: the API server decodes it into its Go type, so that empty maps vanish and wrong
   * types are errors. `unstructured`: Kyverno keeps the JSON as the patch left it, and leaves its types to the API server.
   */
  readonly patched: 'typed' | 'unstructured';
}

/**
 * `applyConfiguration`: the expression's `Object` is merged as server-side apply would merge it.
 * Kubernetes: apiserver pkg/admission/plugin/policy/mutating/patch/smd.go.
 */
export function applyConfigurationStep(expression: Expression, { index, types, atomics }: MutationOptions): MutationStep {
  return {
    index,
    expressions: [expression],
    run(object, context) {
      const evaluated = context.evaluate(expression);
      if (!evaluated.ok) return evaluated;
      const { value } = evaluated;
      if (!(value instanceof Struct)) return failure('unsupported return type from ApplyConfiguration expression');
      const misnamed = checkStructNames(value);
      if (misnamed !== undefined) return failure(`type mismatch: ${misnamed}`);
      const configuration = jsonOf(() => celToJson(value) as Json);
      if (configuration instanceof CelError) return failure(configuration.message);
      const schema = typeOf(types, context);
      if (atomics === 'refuse' && isWithoutMergeType(context.kind)) {
        const { group, version, kind } = context.kind;
        const text = `no corresponding type for ${group}/${version}, Kind=${kind}`;
        return failure(`error applying patch: failed to convert patch object to typed object: ${text}`);
      }
      const applied = applyConfiguration(object, configuration as JsonObject, schema, { atomics });
      return applied.ok ? applied : failure(`error applying patch: ${applied.message}`);
    },
  };
}

/**
 * `jsonPatch`: the expression's list of `JSONPatch` is applied.
 * Kubernetes: apiserver pkg/admission/plugin/policy/mutating/patch/json_patch.go.
 */
export function jsonPatchStep(expression: Expression, { index, types, patched }: MutationOptions): MutationStep {
  return {
    index,
    expressions: [expression],
    run(object, context) {
      const evaluated = context.evaluate(expression);
      if (!evaluated.ok) return evaluated;
      const operations = operationsOf(evaluated.value);
      if (typeof operations === 'string') return failure(operations);
      if (operations.length === 0) return { ok: true, object };
      const outcome = applyPatch(object, operations, { dialect: 'apiserver' });
      if (!outcome.ok) return outcome.kind === 'test-failed' ? { ok: true, object } : failure(`JSON Patch: ${outcome.message}`);
      return patched === 'typed' ? decoded(outcome.value, context, types) : unstructured(outcome.value);
    },
  };
}

function operationsOf(value: CelValue): PatchOperation[] | string {
  if (!Array.isArray(value)) return 'type mismatch: JSONPatchType.expression should evaluate to array';
  const operations: PatchOperation[] = [];
  for (const element of value as readonly CelValue[]) {
    if (!(element instanceof Struct) || element.typeName !== 'JSONPatch') {
      return 'type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch';
    }
    const { op = '', path = '', from, value: content } = element.fields;
    const operation: Record<string, unknown> = { op, path };
    if (from) operation['from'] = from;
    if (content !== undefined) {
      const misnamed = content instanceof Struct ? checkStructNames(content) : undefined;
      if (misnamed !== undefined) return `type mismatch: ${misnamed}`;
      const json = jsonOf(() => patchValue(content));
      if (json instanceof CelError) return `JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${json.message}`;
      operation['value'] = json;
    }
    operations.push(operation as unknown as PatchOperation);
  }
  return operations;
}

function unstructured(patched: unknown): MutationResult {
  return isJsonObject(patched) ? { ok: true, object: patched } : internalError('the patched object is not an object');
}

/** A patched object has to be one of its kind still; the API server answers 500 otherwise. */
function decoded(patched: unknown, context: MutationContext, types: TypeTable | undefined): MutationResult {
  const schema = typeOf(types, context);
  const { group, version, kind } = context.kind;
  if (!isJsonObject(patched)) return internalError('the patched object is not an object');
  if (schema !== undefined && types?.isBuiltIn(group, version, kind)) {
    const result = decodeObject(patched, schema);
    return result.ok ? result : internalError(result.message);
  }
  const errors = schema === undefined ? [] : checkTypedValue(patched, schema, { allowDuplicates: true });
  return errors.length === 0 ? { ok: true, object: patched } : internalError(formatTypedValueErrors(errors));
}

/**
 * Kinds of subresources that the API server publishes in the documents of another group than their own, and options that it does not
 * publish: it finds no type of them to merge by. Kubernetes: pkg/admission/plugin/policy/mutating/patch/typeconverter.go.
 */
function isWithoutMergeType({ group, kind }: MutationContext['kind']): boolean {
  if (group === '') return /^(Pod|Service|Node)(Exec|Attach|PortForward|Proxy)Options$/.test(kind);
  return WITHOUT_MERGE_TYPE.has(`${group}/${kind}`);
}

const WITHOUT_MERGE_TYPE: ReadonlySet<string> = new Set(['autoscaling/Scale', 'policy/Eviction', 'authentication.k8s.io/TokenRequest']);

function typeOf(types: TypeTable | undefined, { kind }: MutationContext) {
  return types?.kind(kind.group, kind.version, kind.kind);
}

function failure(error: string): MutationResult {
  return { ok: false, error };
}

function internalError(message: string): MutationResult {
  return { ok: false, status: { message: `Internal error occurred: ${message}`, reason: 'InternalError', code: 500 } };
}

function jsonOf(convert: () => Json): Json | CelError {
  try {
    return convert();
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}
