import type { CompactSchema, TypeTableData } from './compact-schema.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { compactOpenApi } from './openapi-schema.ts';
import { formatApiVersion } from './type-table.ts';

/** Types with a meaning of their own, by the name of their definition. */
const SPECIAL = new Map([
  ['io.k8s.apimachinery.pkg.api.resource.Quantity', 'quantity'],
  ['io.k8s.apimachinery.pkg.util.intstr.IntOrString', 'int-or-string'],
  ['io.k8s.apimachinery.pkg.runtime.RawExtension', 'raw'],
]);

/** Types that look like a structure without fields, and are a map of anything. */
const FREE_FORM = new Set(['io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1']);

/** Kinds of no use in a rule that every group repeats. */
const SKIPPED_KINDS = new Set(['WatchEvent', 'DeleteOptions', 'Status', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions']);

/** Definitions that are generated from Go types; others come from CustomResourceDefinitions. */
const GO_TYPES = /^io\.k8s\.(api|apimachinery|apiextensions-apiserver|kube-aggregator|kube-openapi)\./;

/**
 * The kinds that an API server's OpenAPI v3 documents describe, one document per group version as `/openapi/v3/apis/apps/v1` answers.
 * What is not such a document is passed over.
 */
export function openApiTypes(documents: Iterable<unknown>): Pick<TypeTableData, 'definitions' | 'kinds'> {
  // Names come from a server: none of them may be one that every object has.
  const definitions: { [name: string]: CompactSchema } = Object.create(null);
  const kinds: { [kind: string]: string } = Object.create(null);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  // `io.k8s.api.core.v1.Container` → `core.v1.Container`, unless another group has made use of that name.
  const nameOf = (full: string): string => {
    const known = SPECIAL.get(full) ?? names.get(full);
    if (known !== undefined) return known;
    const short = full.split('.').slice(-3).join('.');
    const name = taken.has(short) ? full : short;
    taken.add(name);
    names.set(full, name);
    return name;
  };
  for (const document of documents) {
    for (const [full, schema] of Object.entries(schemasOf(document))) {
      if (SPECIAL.has(full) || !isJsonObject(schema)) continue;
      const name = nameOf(full);
      if (Object.hasOwn(definitions, name)) continue;
      definitions[name] = FREE_FORM.has(full) ? { map: 'any' } : compactOpenApi(schema, { nameOf, goTypes: GO_TYPES.test(full) });
      const served = schema['x-kubernetes-group-version-kind'];
      for (const each of Array.isArray(served) ? (served as readonly Json[]) : []) {
        if (!isJsonObject(each) || SKIPPED_KINDS.has(String(each['kind']))) continue;
        kinds[`${formatApiVersion(String(each['group'] ?? ''), String(each['version']))}/${String(each['kind'])}`] = name;
      }
    }
  }
  return { definitions, kinds };
}

function schemasOf(document: unknown): JsonObject {
  const components = isJsonObject(document as Json) ? (document as JsonObject)['components'] : undefined;
  const schemas = isJsonObject(components as Json) ? (components as JsonObject)['schemas'] : undefined;
  return isJsonObject(schemas as Json) ? (schemas as JsonObject) : {};
}
