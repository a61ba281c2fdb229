import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../../../engine/object/json.ts';
import { formatTest } from '../../../../engine/object/structural-schema/formats.ts';
import type { RefPrefix } from './built-in-schemas.ts';
import { customResourceName, definitionName } from './definition-names.ts';

/** What is published of a custom resource in one version. */
export interface PublishedCustomResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  /** `openAPIV3Schema`; undefined where there is none. */
  readonly schema: JsonObject | undefined;
  readonly selectableFields: readonly string[];
}

const API_VERSION =
  'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources';
const KIND =
  'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const METADATA =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/**
 * The definitions of a custom resource and of its list. In OpenAPI v2 without what that does not know. Kubernetes:
 * apiextensions-apiserver pkg/controller/openapi/builder/builder.go.
 */
export function customResourceSchemas(resource: PublishedCustomResource, prefix: RefPrefix): { readonly [name: string]: JsonObject } {
  const { group, version, kind, listKind } = resource;
  const name = customResourceName(group, version, kind);
  const typed = (of: string): Json => [{ group, version, kind: of }];
  const listMeta = { $ref: prefix + definitionName('meta.v1.ListMeta') };
  return {
    [name]: { ...objectSchema(resource, prefix), 'x-kubernetes-group-version-kind': typed(kind), ...selectable(resource) },
    [customResourceName(group, version, listKind)]: {
      description: `${listKind} is a list of ${kind}`,
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: { description: API_VERSION, type: 'string' },
        items: {
          description: 'List of items. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md',
          type: 'array',
          items: { $ref: prefix + name },
        },
        kind: { description: KIND, type: 'string' },
        metadata: prefix === '#/definitions/' ? listMeta : { allOf: [listMeta], description: METADATA },
      },
      'x-kubernetes-group-version-kind': typed(listKind),
    },
  };
}

function selectable({ selectableFields }: PublishedCustomResource): JsonObject {
  if (selectableFields.length === 0) return {};
  return { 'x-kubernetes-selectable-fields': selectableFields.map((path) => ({ fieldPath: path.replace(/^\./, '') })) };
}

function objectSchema({ schema }: PublishedCustomResource, prefix: RefPrefix): JsonObject {
  const isV2 = prefix === '#/definitions/';
  // Clients take what is not declared for refused, so that nothing is declared where anything may stand.
  if (schema === undefined || (isV2 && schema['x-kubernetes-preserve-unknown-fields'] === true)) return { type: 'object' };
  const converted = withObjectFields(isV2 ? toV2(schema) : schema, prefix);
  const properties = isJsonObject(converted['properties']) ? converted['properties'] : {};
  return { ...converted, properties: { ...properties, ...objectFields(prefix) } };
}

function objectFields(prefix: RefPrefix): JsonObject {
  const metadata = { $ref: prefix + definitionName('meta.v1.ObjectMeta') };
  return {
    apiVersion: { description: API_VERSION, type: 'string' },
    kind: { description: KIND, type: 'string' },
    // In v3 nothing may stand beside a reference.
    metadata: prefix === '#/definitions/' ? { ...metadata, description: METADATA } : { allOf: [metadata], description: METADATA },
  };
}

/** Whole objects inside of others have the fields of objects. */
function withObjectFields(schema: JsonObject, prefix: RefPrefix): JsonObject {
  const inner = mapSchemas(schema, (each) => withObjectFields(each, prefix));
  if (inner['x-kubernetes-embedded-resource'] !== true) return inner;
  if (prefix === '#/definitions/' && inner['x-kubernetes-preserve-unknown-fields'] === true) return inner;
  const properties = isJsonObject(inner['properties']) ? inner['properties'] : {};
  const required = Array.isArray(inner['required']) ? (inner['required'] as readonly Json[]) : [];
  const more = ['kind', 'apiVersion'].filter((field) => !required.includes(field));
  return { ...inner, properties: { ...properties, ...objectFields(prefix) }, required: [...required, ...more] };
}

/** The schema with each one in its fields, elements and values changed. */
function mapSchemas(schema: JsonObject, change: (schema: JsonObject) => JsonObject): JsonObject {
  const copy: { [key: string]: Json } = { ...schema };
  const { properties, items, additionalProperties } = schema;
  if (isJsonObject(properties)) {
    const changed: { [name: string]: Json } = {};
    for (const [name, property] of Object.entries(properties)) setOwn(changed, name, isJsonObject(property) ? change(property) : property);
    copy['properties'] = changed;
  }
  if (isJsonObject(items)) copy['items'] = change(items);
  if (isJsonObject(additionalProperties)) copy['additionalProperties'] = change(additionalProperties);
  return copy;
}

/** Kubernetes: apiextensions-apiserver pkg/controller/openapi/v2/conversion.go. */
function toV2(schema: JsonObject): JsonObject {
  const required = requiredInV2(schema);
  const { allOf: _allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, default: _default, nullable, required: _required, ...plain } = schema;
  const out: { [key: string]: Json } = { ...plain, ...(required.length === 0 ? {} : { required }) };
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (nullable === true) delete out['type'];
  if (nullable === true || preserves) {
    delete out['items'];
    delete out['properties'];
  }
  if (out['type'] === 'array' && out['items'] === undefined) delete out['type'];
  if (preserves && out['type'] === 'object') delete out['type'];
  if (!isFormatKnown(out)) delete out['format'];
  return mapSchemas(out, toV2);
}

function requiredInV2(schema: JsonObject): readonly Json[] {
  const { additionalProperties, properties, required } = schema;
  if (!Array.isArray(required) || (isJsonObject(additionalProperties) && additionalProperties['nullable'] === true)) return [];
  const isNullable = (name: Json): boolean => {
    const property = isJsonObject(properties) ? ownValue(properties, String(name)) : undefined;
    return isJsonObject(property) && property['nullable'] === true;
  };
  return (required as readonly Json[]).filter((name) => !isNullable(name));
}

function isFormatKnown({ format, type }: JsonObject): boolean {
  if (typeof format !== 'string') return true;
  if (type === undefined || type === 'string') return formatTest(format) !== undefined;
  if (type === 'integer') return format === 'int32' || format === 'int64';
  return type === 'number' && (format === 'float' || format === 'double');
}
