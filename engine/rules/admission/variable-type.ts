import { type CelType, DYN, listOf, mapOf } from '../../cel/types.ts';

const KEPT: ReadonlySet<CelType['kind']> = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'null', 'string', 'timestamp', 'uint']);

/**
 * The type that later expressions see of a variable: scalars, and lists and maps of them, keep theirs; optionals, objects and the types
 * of libraries are dyn. Kubernetes: apiserver pkg/admission/plugin/cel/composition.go convertCelTypeToDeclType.
 */
export function variableType(type: CelType): CelType {
  if (type.kind === 'list') return listOf(variableType(type.element));
  if (type.kind === 'map') return mapOf(variableType(type.key), variableType(type.value));
  return KEPT.has(type.kind) ? type : DYN;
}
