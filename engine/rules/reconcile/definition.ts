import { isJsonObject, type Json, type JsonObject, ownValue, setOwn } from '../../object/json.ts';
import { pluralOf } from '../../object/plural.ts';
import { readSimpleSchema, type SchemaProblem } from '../../object/simple-schema.ts';
import { openApiOf } from '../../object/simple-schema-openapi.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { ResourceDocument } from './document.ts';

/** A short schema of a rule, where it stands. */
export interface SchemaSource {
  readonly path: DocumentPath;
  readonly value: unknown;
}

/** What a CustomResourceDefinition is made of, whichever kind of document says it. */
export interface DefinitionSource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural?: string | undefined;
  readonly singular?: string | undefined;
  readonly shortNames?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly labels?: { readonly [key: string]: string } | undefined;
  readonly annotations?: { readonly [key: string]: string } | undefined;
  readonly types: SchemaSource | undefined;
  readonly spec: SchemaSource | undefined;
  /** Undefined: what status has is found out from the template of it. */
  readonly status: SchemaSource | undefined;
  readonly validations: readonly JsonObject[];
  readonly printerColumns: readonly PrinterColumn[];
  readonly scale?: JsonObject | undefined;
  /** Without Ready and Age behind the columns. */
  readonly ownColumnsOnly?: boolean;
  /** Fields of status that are there in any case, beside conditions and observedGeneration. */
  readonly statusFields?: JsonObject;
  /** Further names of types in short schemas. */
  readonly typeAliases?: Readonly<Record<string, string>>;
}

export type PrinterColumn = NonNullable<ResourceDocument['printerColumns']>[number];

/** The part of a ReconcileRule that makes a CustomResourceDefinition. */
export function definitionSource(path: DocumentPath, document: ResourceDocument): DefinitionSource {
  const part = (field: 'types' | 'spec' | 'status') =>
    document[field] === undefined ? undefined : { path: [...path, field], value: document[field] };
  return {
    ...document,
    scope: document.scope ?? 'Namespaced',
    types: part('types'),
    spec: part('spec'),
    status: part('status'),
    validations: (document.validations ?? []) as readonly JsonObject[],
    printerColumns: document.printerColumns ?? [],
    scale: document.scale as JsonObject | undefined,
  };
}

/** What kstatus and Argo CD read of an instance that no controller has seen yet: without it, they take it for ready. */
const FRESH_CONDITIONS: Json = [
  {
    type: 'Ready',
    status: 'Unknown',
    reason: 'NotReconciled',
    message: 'the controller has not looked at this object yet',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  },
];

const CONDITION_SCHEMA: JsonObject = {
  type: 'object',
  required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  properties: {
    type: { type: 'string', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
    reason: { type: 'string', maxLength: 1024 },
    message: { type: 'string', maxLength: 32768 },
  },
};

const STATUS_FIELDS: JsonObject = {
  conditions: {
    type: 'array',
    items: CONDITION_SCHEMA,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  },
  observedGeneration: { type: 'integer', format: 'int64', description: 'The generation of the object that the status was made for.' },
};

/**
 * The CustomResourceDefinition (apiextensions.k8s.io/v1) of a rule. What is wrong with its schemas is reported where it stands.
 * `statusSchema` is the OpenAPI of status where the rule does not declare one; without it, status may have any fields.
 */
export function customResourceDefinition(source: DefinitionSource, report: Reporter, statusSchema?: JsonObject): JsonObject {
  const { group, version, kind, scope } = source;
  const singular = source.singular ?? kind.toLowerCase();
  const plural = source.plural ?? pluralOf(kind);
  const schema = openApiSchema(source, report, statusSchema);
  const optional = (name: string, value: unknown): JsonObject => (value === undefined ? {} : { [name]: value as Json });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...optional('labels', source.labels), ...optional('annotations', source.annotations) },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...optional('shortNames', source.shortNames),
        ...optional('categories', source.categories),
      },
      scope,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {}, ...optional('scale', source.scale) },
          additionalPrinterColumns: printerColumns(source, schema),
        },
      ],
    },
  };
}

function openApiSchema(source: DefinitionSource, report: Reporter, statusSchema: JsonObject | undefined): JsonObject {
  const types = source.types !== undefined && isJsonObject(source.types.value) ? source.types.value : undefined;
  const options = { types, ...(source.typeAliases === undefined ? {} : { aliases: source.typeAliases }) };
  const read = ({ path, value }: SchemaSource): JsonObject => {
    const problems: SchemaProblem[] = [];
    const schema = readSimpleSchema(value, problems, [], options);
    for (const { path: below, message, hint } of problems) report.error([...path, ...below], 'reconcile-schema', message, hint);
    return openApiOf(schema);
  };
  // Types that nothing uses are checked as well.
  if (source.types !== undefined) read(source.types);
  const spec = source.spec === undefined ? { type: 'object' } : asObject(read(source.spec));
  const declared = source.status === undefined ? statusSchema : asObject(read(source.status));
  const required = Array.isArray(spec['required']) ? { required: ['spec'] } : {};
  return {
    type: 'object',
    ...required,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec,
      status: statusWithConditions(declared ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, source.statusFields),
    },
    ...(source.validations.length === 0 ? {} : { 'x-kubernetes-validations': source.validations }),
  };
}

/** `spec: any` and the like: a spec is an object in any case. */
const asObject = (schema: JsonObject): JsonObject => (schema['type'] === undefined ? { type: 'object', ...schema } : schema);

function statusWithConditions(schema: JsonObject, further: JsonObject = {}): JsonObject {
  const properties = ownValue(schema, 'properties');
  const fields: { [name: string]: Json } = {};
  for (const [name, field] of Object.entries(isJsonObject(properties) ? properties : {})) setOwn(fields, name, field);
  for (const [name, field] of Object.entries({ ...further, ...STATUS_FIELDS })) if (!Object.hasOwn(fields, name)) fields[name] = field;
  const ours = fields['conditions'] === STATUS_FIELDS['conditions'];
  return { ...schema, properties: fields, ...(ours ? { default: { conditions: FRESH_CONDITIONS } } : {}) };
}

function printerColumns({ printerColumns: columns, ownColumnsOnly }: DefinitionSource, schema: JsonObject): JsonObject[] {
  const own = columns.map(
    ({ name, path, type, format, description, priority }): JsonObject => ({
      name,
      type: type ?? columnType(path, schema),
      jsonPath: path.startsWith('$') ? path.slice(1) : path,
      ...(format === undefined ? {} : { format }),
      ...(description === undefined ? {} : { description }),
      ...(priority === undefined ? {} : { priority }),
    }),
  );
  if (ownColumnsOnly) return own;
  const names = new Set(columns.map(({ name }) => name));
  const ready = { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
  const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
  return [...own, ...[ready, age].filter(({ name }) => !names.has(name))];
}

/** The type that the schema has at a path of plain fields; text for everything else. */
function columnType(path: string, schema: JsonObject): string {
  let found: JsonObject | undefined = schema;
  for (const field of path.replace(/^\$/, '').split('.').filter(Boolean)) {
    const properties: Json | undefined = found === undefined ? undefined : ownValue(found, 'properties');
    const next: Json | undefined = isJsonObject(properties) ? ownValue(properties, field) : undefined;
    found = isJsonObject(next) ? next : undefined;
  }
  const type = found?.['type'];
  return type === 'integer' || type === 'number' || type === 'boolean' ? type : found?.['format'] === 'date-time' ? 'date' : 'string';
}
