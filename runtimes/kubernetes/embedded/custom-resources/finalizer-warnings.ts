import { validateQualifiedName } from '../../../../engine/cel/libraries/format/names.ts';
import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import { fieldOf } from '../verbs/object-fields.ts';

const STANDARD: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/**
 * What is doubtful about the finalizers that a custom resource gets, sorted. Kubernetes: apiextensions-apiserver
 * pkg/registry/customresource/validator.go.
 */
export function finalizerWarnings(object: JsonObject, old: JsonObject | undefined): readonly string[] {
  const before = new Set(old === undefined ? [] : finalizersOf(old));
  const added = [...new Set(finalizersOf(object))].filter((finalizer) => !before.has(finalizer)).sort();
  return added.flatMap((finalizer) =>
    problems(finalizer).map((problem) => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${problem}`),
  );
}

function problems(finalizer: string): readonly string[] {
  const wrong = validateQualifiedName(finalizer);
  if (finalizer.includes('/') || STANDARD.has(finalizer)) return wrong;
  const path = finalizer.includes('.') ? ' including a path (/)' : '';
  return [...wrong, `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`];
}

function finalizersOf(object: JsonObject): readonly string[] {
  const finalizers = fieldOf(object, 'metadata', 'finalizers');
  return Array.isArray(finalizers) ? finalizers.filter((item: Json): item is string => typeof item === 'string') : [];
}
