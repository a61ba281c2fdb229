import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { fieldOf } from '../verbs/object-fields.ts';
import { textOf } from './fields.ts';

/** A CustomResourceDefinition (apiextensions.k8s.io/v1), read leniently; what is missing is empty. */
export interface DefinitionDocument {
  readonly object: JsonObject;
  readonly name: string;
  readonly group: string;
  readonly namespaced: boolean;
  readonly names: ResourceNames;
  readonly acceptedNames: ResourceNames;
  readonly versions: readonly VersionDocument[];
  readonly storageVersion: string;
}

export interface ResourceNames {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export interface VersionDocument {
  readonly name: string;
  readonly isServed: boolean;
  readonly isStorage: boolean;
  readonly isDeprecated: boolean;
  readonly deprecationWarning: string | undefined;
  /** `openAPIV3Schema`. */
  readonly schema: JsonObject | undefined;
  readonly hasStatus: boolean;
  readonly scale:
    | { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath: string }
    | undefined;
  readonly columns: readonly JsonObject[];
  readonly selectableFields: readonly string[];
}

export function readDefinition(object: JsonObject): DefinitionDocument {
  const versions = objectsOf(fieldOf(object, 'spec', 'versions')).map(readVersion);
  return {
    object,
    name: textOf(object, 'metadata', 'name'),
    group: textOf(object, 'spec', 'group'),
    namespaced: textOf(object, 'spec', 'scope') === 'Namespaced',
    names: readNames(fieldOf(object, 'spec', 'names')),
    acceptedNames: readNames(fieldOf(object, 'status', 'acceptedNames')),
    versions,
    storageVersion: versions.find(({ isStorage }) => isStorage)?.name ?? '',
  };
}

function readVersion(version: JsonObject): VersionDocument {
  const schema = fieldOf(version, 'schema', 'openAPIV3Schema');
  const scale = fieldOf(version, 'subresources', 'scale');
  const warning = ownValue(version, 'deprecationWarning');
  return {
    name: textOf(version, 'name'),
    isServed: ownValue(version, 'served') === true,
    isStorage: ownValue(version, 'storage') === true,
    isDeprecated: ownValue(version, 'deprecated') === true,
    deprecationWarning: typeof warning === 'string' ? warning : undefined,
    schema: isJsonObject(schema) ? schema : undefined,
    hasStatus: fieldOf(version, 'subresources', 'status') !== undefined,
    scale: isJsonObject(scale)
      ? {
          specReplicasPath: textOf(scale, 'specReplicasPath'),
          statusReplicasPath: textOf(scale, 'statusReplicasPath'),
          labelSelectorPath: textOf(scale, 'labelSelectorPath'),
        }
      : undefined,
    columns: objectsOf(ownValue(version, 'additionalPrinterColumns')),
    selectableFields: objectsOf(ownValue(version, 'selectableFields')).map((field) => textOf(field, 'jsonPath')),
  };
}

function readNames(names: Json | undefined): ResourceNames {
  const object = isJsonObject(names) ? names : {};
  return {
    plural: textOf(object, 'plural'),
    singular: textOf(object, 'singular'),
    kind: textOf(object, 'kind'),
    listKind: textOf(object, 'listKind'),
    shortNames: textsOf(ownValue(object, 'shortNames')),
    categories: textsOf(ownValue(object, 'categories')),
  };
}

export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: Json): item is JsonObject => isJsonObject(item)) : [];
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
