import { builtInTypes } from '../../../../engine/bundle/built-in-types.ts';
import { type CustomResourceSchema, compileCustomResourceSchema } from '../../../../engine/object/custom-resource-schema.ts';
import { type FieldError, fieldInvalid } from '../../../../engine/object/field-error.ts';
import { type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf } from '../../../../engine/object/metadata.ts';
import { customResourceTypes } from '../../../../engine/object/type-table.ts';
import type { ResourceDefinition, ScaleMapping, Strategy, StrategyContext, SubresourceDefinition } from '../kinds/definition.ts';
import { dnsSubdomainErrors } from '../kinds/names.ts';
import { fieldOf, withField } from '../verbs/object-fields.ts';
import type { DefinitionDocument, VersionDocument } from './definition-document.ts';
import { finalizerWarnings } from './finalizer-warnings.ts';
import { columnPrinter, selectableFieldReaders } from './printer-columns.ts';

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];

/** A schema that allows anything, for a definition that has lost its own. */
const OPEN: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/**
 * The versions that a CustomResourceDefinition serves, ready for the catalog. Its names are those that were accepted.
 * Kubernetes: apiextensions-apiserver pkg/apiserver/customresource_handler.go.
 */
export function servedVersions(document: DefinitionDocument): readonly ResourceDefinition[] {
  const types = builtInTypes([customResourceTypes([document.object])]);
  const schemas = new Map(document.versions.map(({ name, schema }) => [`${document.group}/${name}`, lazily(schema ?? OPEN)]));
  return document.versions
    .filter(({ isServed }) => isServed)
    .map((version): ResourceDefinition => {
      const { group, namespaced, acceptedNames: names, storageVersion } = document;
      const apiVersion = `${group}/${version.name}`;
      const schema = schemas.get(apiVersion)?.() ?? compileCustomResourceSchema(OPEN);
      const subresources = subresourcesOf(document, version);
      return {
        group,
        version: version.name,
        resource: names.plural,
        kind: names.kind,
        namespaced,
        verbs: VERBS,
        subresources: subresources.map(({ name }) => name),
        singular: names.singular,
        listKind: names.listKind,
        shortNames: names.shortNames,
        categories: names.categories,
        schema: types.kind(group, version.name, names.kind),
        builtIn: false,
        subresourceDefinitions: subresources,
        storedIn: `${group}/${names.plural}`,
        storedApiVersion: `${group}/${storageVersion}`,
        conversion: {
          // What was stored under an older schema shows the defaults of the newer one; those of other versions are for requests only.
          fromStored(object) {
            const stored = schemas.get(String(object['apiVersion']))?.();
            const complete = stored === undefined ? object : stored.applyDefaults(stored.prune(object).object);
            return stored === schema ? complete : schema.prune(complete).object;
          },
          toStored: (object) => object,
        },
        strategy: strategyOf(schema, version),
        printer: columnPrinter(version.columns),
        selectableFields: selectableFieldReaders(version.selectableFields),
        ...(version.scale === undefined ? {} : { scale: scaleOf(version.scale) }),
        prune: (object) => schema.prune(object),
        published: {
          group,
          version: version.name,
          kind: names.kind,
          listKind: names.listKind,
          schema: version.schema,
          selectableFields: version.selectableFields,
        },
        ...(version.isDeprecated ? { deprecationWarning: warningOf(document, version) } : {}),
      };
    });
}

function lazily(source: JsonObject): () => CustomResourceSchema {
  let compiled: CustomResourceSchema | undefined;
  return () => {
    compiled ??= compileCustomResourceSchema(source);
    return compiled;
  };
}

function warningOf({ group, names }: DefinitionDocument, { name, deprecationWarning }: VersionDocument): string {
  return deprecationWarning ?? `${group}/${name} ${names.kind} is deprecated`;
}

function subresourcesOf({ group, acceptedNames }: DefinitionDocument, version: VersionDocument): readonly SubresourceDefinition[] {
  const status = { name: 'status', group, version: version.name, kind: acceptedNames.kind, verbs: SUBRESOURCE_VERBS };
  const scale = { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: SUBRESOURCE_VERBS };
  return [...(version.hasStatus ? [status] : []), ...(version.scale === undefined ? [] : [scale])];
}

function scaleOf({ specReplicasPath, statusReplicasPath, labelSelectorPath }: NonNullable<VersionDocument['scale']>): ScaleMapping {
  const selectorPath = labelSelectorPath.split('.').slice(1);
  return {
    specReplicasPath,
    statusReplicasPath,
    needsReplicas: true,
    selector(object) {
      const selector = labelSelectorPath === '' ? undefined : fieldOf(object, ...selectorPath);
      return typeof selector === 'string' ? selector : '';
    },
  };
}

function strategyOf(schema: CustomResourceSchema, version: VersionDocument): Strategy {
  const report = (outcome: ReturnType<CustomResourceSchema['validate']>, context: StrategyContext): readonly FieldError[] => {
    for (const warning of outcome.warnings) context.warn(warning);
    return outcome.errors;
  };
  const warned = (errors: readonly FieldError[], context: StrategyContext, object: JsonObject, old?: JsonObject): readonly FieldError[] => {
    if (errors.length === 0) for (const warning of finalizerWarnings(object, old)) context.warn(warning);
    return errors;
  };
  return {
    nameErrors: dnsSubdomainErrors,
    generation: 'all',
    unconditionalUpdate: false,
    defaults: (object) => schema.applyDefaults(schema.prune(object).object),
    prepareForCreate: (object) => (version.hasStatus ? withField(object, 'status', undefined) : object),
    validate: (object, context) =>
      warned([...report(schema.validate(object), context), ...scaleErrors(object, version, true)], context, object),
    validateUpdate: (object, old, context) =>
      warned([...report(schema.validateUpdate(object, old), context), ...scaleErrors(object, version, true)], context, object, old),
    prepareForStatusUpdate(object, old) {
      // Of the metadata, only who owns what may change with a status.
      const managedFields = fieldOf(object, 'metadata', 'managedFields');
      const metadata = withField(metadataOf(old), 'managedFields', managedFields);
      return withField({ ...old, metadata }, 'status', ownValue(object, 'status'));
    },
    validateStatusUpdate: (object, old, context) => [
      ...report(schema.validateStatusUpdate(object, old), context),
      ...scaleErrors(object, version, false),
    ],
  };
}

const MAX_REPLICAS = 2147483647;

/** What `scale` reads must be what it is read as. */
function scaleErrors(object: JsonObject, { scale }: VersionDocument, withSpec: boolean): readonly FieldError[] {
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  for (const path of [...(withSpec ? [scale.specReplicasPath] : []), scale.statusReplicasPath]) {
    const value = fieldOf(object, ...path.split('.').slice(1));
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      const detail = `${path} accessor error: ${JSON.stringify(value)} is of the type ${typeof value}, expected int64`;
      errors.push(fieldInvalid(path, 0, detail));
    } else if (value < 0) errors.push(fieldInvalid(path, value, 'should be a non-negative integer'));
    else if (value > MAX_REPLICAS) errors.push(fieldInvalid(path, value, `should be less than or equal to ${MAX_REPLICAS}`));
  }
  return errors;
}
