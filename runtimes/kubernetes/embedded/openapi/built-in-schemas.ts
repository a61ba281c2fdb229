import type { CompactSchema, TypeTableData } from '../../../../engine/object/compact-schema.ts';
import { compactSchemaToOpenApi } from '../../../../engine/object/compact-to-openapi.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { parseApiVersion } from '../../../../engine/object/type-table.ts';
import kubernetes from '../../../../schemas/kubernetes/v1.37.json' with { type: 'json' };
import { goFields } from '../kinds/go-types.ts';
import { definitionName } from './definition-names.ts';
import { withDescriptions } from './metadata-descriptions.ts';

const DATA = kubernetes as unknown as TypeTableData;

/** Where definitions stand in a document: of OpenAPI v3 or v2. */
export type RefPrefix = '#/components/schemas/' | '#/definitions/';

/** Types of their own, and those that the compact table leaves out because no kind leads to them. */
const SPECIAL: { readonly [name: string]: JsonObject } = {
  quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  'int-or-string': { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  raw: { type: 'object' },
};
const SPECIAL_V2: { readonly [name: string]: JsonObject } = {
  quantity: { type: 'string' },
  'int-or-string': { type: 'string', format: 'int-or-string' },
  raw: { type: 'object' },
};

const META: { readonly [name: string]: CompactSchema } = {
  'meta.v1.Status': {
    fields: {
      apiVersion: 'string',
      code: 'integer/int32',
      details: '#meta.v1.StatusDetails',
      kind: 'string',
      message: 'string',
      metadata: '#meta.v1.ListMeta',
      reason: 'string',
      status: 'string',
    },
  },
  'meta.v1.StatusDetails': {
    fields: {
      causes: { list: '#meta.v1.StatusCause' },
      group: 'string',
      kind: 'string',
      name: 'string',
      retryAfterSeconds: 'integer/int32',
      uid: 'string',
    },
  },
  'meta.v1.StatusCause': { fields: { field: 'string', message: 'string', reason: 'string' } },
  'meta.v1.Patch': { map: 'any' },
  'meta.v1.DeleteOptions': {
    fields: {
      apiVersion: 'string',
      dryRun: { list: 'string' },
      gracePeriodSeconds: 'integer/int64',
      ignoreStoreReadErrorWithClusterBreakingPotential: 'boolean',
      kind: 'string',
      orphanDependents: 'boolean',
      preconditions: '#meta.v1.Preconditions',
      propagationPolicy: 'string',
    },
  },
  'meta.v1.Preconditions': { fields: { resourceVersion: 'string', uid: 'string' } },
  'meta.v1.WatchEvent': { fields: { object: 'raw', type: 'string' }, required: ['type', 'object'] },
};

/** Kinds by definition, for `x-kubernetes-group-version-kind`. */
const kindsOf = new Map<string, JsonObject[]>();
for (const [path, definition] of Object.entries(DATA.kinds)) {
  const slash = path.lastIndexOf('/');
  const kind = { ...parseApiVersion(path.slice(0, slash)), kind: path.slice(slash + 1) };
  const known = kindsOf.get(definition);
  if (known === undefined) kindsOf.set(definition, [kind]);
  else known.push(kind);
}

/** The definition of a kind of Kubernetes' own, `apps.v1.Deployment`; undefined for others. */
export function definitionOfKind(apiVersion: string, kind: string): string | undefined {
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(DATA.kinds, key) ? DATA.kinds[key] : undefined;
}

/** All definitions that some lead to, they included, by the names that Kubernetes publishes. */
export function builtInSchemas(roots: Iterable<string>, prefix: RefPrefix): { readonly [name: string]: JsonObject } {
  const schemas: { [name: string]: JsonObject } = {};
  const queue = [...roots];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const full = definitionName(name);
    if (Object.hasOwn(schemas, full)) continue;
    const special = prefix === '#/definitions/' ? SPECIAL_V2 : SPECIAL;
    schemas[full] = Object.hasOwn(special, name) ? (special[name] as JsonObject) : convert(name, prefix, queue);
  }
  return schemas;
}

function convert(name: string, prefix: RefPrefix, queue: string[]): JsonObject {
  const compact = Object.hasOwn(META, name) ? META[name] : Object.hasOwn(DATA.definitions, name) ? DATA.definitions[name] : undefined;
  if (compact === undefined) return { type: 'object' };
  const bare = compactSchemaToOpenApi(compact, (reference) => {
    queue.push(reference);
    return prefix + definitionName(reference);
  });
  const whole = prefix === '#/definitions/' ? bare : withEmptyStructures(name, bare);
  const schema = withDescriptions(name, whole, prefix === '#/definitions/' ? 'v2' : 'v3');
  const kinds = kindsOf.get(name);
  return kinds === undefined ? schema : { ...schema, 'x-kubernetes-group-version-kind': kinds };
}

/**
 * Says of structures that are no pointers in Go that they are there, empty, where nobody gives them: fields and elements of lists. Clients
 * tell by it what the server writes. Kubernetes: kube-openapi pkg/generators.
 */
function withEmptyStructures(name: string, schema: JsonObject): JsonObject {
  const properties = schema['properties'];
  const fields = goFields(name);
  if (fields === undefined || !isJsonObject(properties)) return schema;
  const changed: { [name: string]: Json } = { ...properties };
  for (const [, field, type, flags = ''] of fields) {
    const property = ownValue(properties, field);
    if (!type.startsWith('#') || !isJsonObject(property)) continue;
    if (flags.includes('r')) {
      const { items } = property;
      if (isJsonObject(items)) changed[field] = { ...property, items: emptyByDefault(items) };
    } else if (flags === 'a') changed[field] = emptyByDefault(property);
  }
  return { ...schema, properties: changed };
}

function emptyByDefault(reference: JsonObject): JsonObject {
  return Object.hasOwn(reference, '$ref') ? { allOf: [reference], default: {} } : reference;
}
