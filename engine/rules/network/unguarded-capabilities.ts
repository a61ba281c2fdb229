import { isJsonObject, type Json } from '../../object/json.ts';
import type { CompiledStep } from '../../step/compile.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Expression } from '../expressions.ts';
import type { Reporter } from '../reporter.ts';

const WHOLE = /^\$\{\s*runtimeConfig\.([A-Za-z]+)\s*\}\s*$/;

/**
 * Warns of steps that are always there and read a capability as if it were: a runtime hands over only what it has for a container, and the
 * attachment of one for which it has nothing fails.
 */
export function warnOfUnguardedCapabilities(report: Reporter, steps: readonly CompiledStep<Expression>[]): void {
  for (const { operation, path, when, forEach, arguments: args } of steps) {
    if (when !== undefined || forEach !== undefined) continue;
    for (const [at, name] of readsOf(args.written, [...path, operation.name])) {
      const hint = `write when: has(runtimeConfig.${name}) beside ${operation.name}, or \${runtimeConfig.?${name}} where it may be left out`;
      report.warning(at, 'network-capability', `runtimeConfig.${name} is not there in every call`, hint);
    }
  }
}

function readsOf(value: Json, path: DocumentPath): readonly (readonly [DocumentPath, string])[] {
  if (typeof value === 'string') {
    const name = WHOLE.exec(value)?.[1];
    return name === undefined ? [] : [[path, name]];
  }
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => readsOf(item, [...path, index]));
  return isJsonObject(value) ? Object.entries(value).flatMap(([key, child]) => readsOf(child, [...path, key])) : [];
}
