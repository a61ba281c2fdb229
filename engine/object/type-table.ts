import type { CompactSchema, TypeTableData } from './compact-schema.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { compactOpenApi } from './openapi-schema.ts';
import { expandSchema, type MapSchema, type Schema } from './schema.ts';

/** A resource or a subresource as requests name it. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  /** `pods`, or with its subresource `pods/exec`. */
  readonly resource: string;
  /** The kind of the objects in its requests; a subresource may have a kind of another group. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly namespaced: boolean;
}

/**
 * Types by kind and by resource. `undefined` means "not known here": a cluster may serve more than a table has.
 */
export interface TypeTable {
  /** What it was taken from: `v1.37.2`. */
  readonly kubernetes: string;
  /** The type of objects of a kind. */
  kind(group: string, version: string, kind: string): MapSchema | undefined;
  /** Whether a kind is one of Kubernetes' own, which the API server decodes into Go types. */
  isBuiltIn(group: string, version: string, kind: string): boolean;
  /** The type of an object by its own `apiVersion` and `kind`. */
  typeOf(object: JsonObject): MapSchema | undefined;
  /** `resource` may name a subresource: `deployments/scale`. */
  resource(group: string, version: string, resource: string): ResourceType | undefined;
  /** Resources whose objects are of a kind; without subresources. */
  resourceOf(group: string, version: string, kind: string): ResourceType | undefined;
  /** All resources and subresources. */
  resources(): IterableIterator<ResourceType>;
  /** Versions of a group that are known, or none. */
  versions(group: string): readonly string[];
  /** By name, as `core.v1.PodSpec` or `meta.v1.ObjectMeta`. */
  definition(name: string): Schema | undefined;
}

/** A type table over data as {@link TypeTableData} or over several (the first that knows a name wins). */
export function createTypeTable(...tables: readonly TypeTableData[]): TypeTable {
  return typeTable(tables, () => undefined);
}

function typeTable(tables: readonly TypeTableData[], elsewhere: (name: string) => Schema | undefined): TypeTable {
  const definitions = new Map<string, Schema | undefined>();
  const definition = (name: string): Schema | undefined => {
    if (definitions.has(name)) return definitions.get(name);
    const compact = lookup(tables, (table) => own(table.definitions, name));
    // An alias that leads to itself must end, not recurse.
    definitions.set(name, undefined);
    const schema = compact === undefined ? elsewhere(name) : expandSchema(compact, definition, name);
    definitions.set(name, schema);
    return schema;
  };

  const kind = (group: string, version: string, name: string): MapSchema | undefined => {
    const found = lookup(tables, (table) => own(table.kinds, `${formatApiVersion(group, version)}/${name}`));
    const schema = found === undefined ? undefined : definition(found);
    return schema?.kind === 'map' ? schema : undefined;
  };

  const resource = (group: string, version: string, name: string): ResourceType | undefined => {
    const slash = name.indexOf('/');
    const plain = slash < 0 ? name : name.slice(0, slash);
    const entry = lookup(tables, (table) => {
      const list = own(table.resources, formatApiVersion(group, version));
      return list && own(list, plain);
    });
    if (entry === undefined) return undefined;
    const sub = slash < 0 ? '' : own(entry.subresources ?? {}, name.slice(slash + 1));
    if (sub === undefined) return undefined;
    return { group, version, resource: name, kind: parseKind(sub === '' ? entry.kind : sub), namespaced: entry.namespaced ?? false };
  };

  function* resources(): IterableIterator<ResourceType> {
    for (const table of tables) {
      for (const [apiVersion, list] of Object.entries(table.resources)) {
        const { group, version } = parseApiVersion(apiVersion);
        for (const [name, entry] of Object.entries(list)) {
          for (const path of [name, ...Object.keys(entry.subresources ?? {}).map((sub) => `${name}/${sub}`)]) {
            const found = resource(group, version, path);
            if (found) yield found;
          }
        }
      }
    }
  }

  let byKind: Map<string, ResourceType> | undefined;
  return {
    kubernetes: tables[0]?.kubernetes ?? '',
    kind,
    isBuiltIn(group, version, name) {
      const key = `${formatApiVersion(group, version)}/${name}`;
      return tables.some((table) => table.kubernetes !== '' && Object.hasOwn(table.kinds, key));
    },
    typeOf(object) {
      const { apiVersion, kind: name } = object;
      if (typeof apiVersion !== 'string' || typeof name !== 'string') return undefined;
      const { group, version } = parseApiVersion(apiVersion);
      return kind(group, version, name);
    },
    resource,
    resourceOf(group, version, name) {
      if (byKind === undefined) {
        byKind = new Map();
        for (const each of resources()) {
          const key = `${formatApiVersion(each.kind.group, each.kind.version)}/${each.kind.kind}`;
          if (!each.resource.includes('/') && !byKind.has(key)) byKind.set(key, each);
        }
      }
      return byKind.get(`${formatApiVersion(group, version)}/${name}`);
    },
    resources,
    versions(group) {
      const found = new Set<string>();
      for (const table of tables) {
        for (const apiVersion of Object.keys(table.resources)) {
          const parsed = parseApiVersion(apiVersion);
          if (parsed.group === group) found.add(parsed.version);
        }
      }
      return [...found];
    },
    definition,
  };
}

/** Data over a table: what the data know of a kind or a resource counts. */
export function layerTypes(data: TypeTableData, under: TypeTable): TypeTable {
  const over = typeTable([data], under.definition);
  return {
    kubernetes: under.kubernetes,
    kind: (group, version, kind) => over.kind(group, version, kind) ?? under.kind(group, version, kind),
    isBuiltIn: (group, version, kind) => over.isBuiltIn(group, version, kind) || under.isBuiltIn(group, version, kind),
    typeOf: (object) => over.typeOf(object) ?? under.typeOf(object),
    resource: (group, version, resource) => over.resource(group, version, resource) ?? under.resource(group, version, resource),
    resourceOf: (group, version, kind) => over.resourceOf(group, version, kind) ?? under.resourceOf(group, version, kind),
    *resources() {
      yield* over.resources();
      yield* under.resources();
    },
    versions: (group) => [...new Set([...over.versions(group), ...under.versions(group)])],
    definition: (name) => over.definition(name) ?? under.definition(name),
  };
}

/**
 * The types that CustomResourceDefinitions (v1) declare, to be put beside the built-in ones. What is no such document, or
 * has no schema, is passed over: checking documents is not this function's work.
 */
export function customResourceTypes(definitions: readonly JsonObject[]): TypeTableData {
  // Names come from whoever wrote the definitions: none of them may be one that every object has.
  const empty = () => Object.create(null);
  const data: TypeTableData & Mutable = { kubernetes: '', definitions: empty(), kinds: empty(), resources: empty() };
  for (const { spec } of definitions) {
    if (!isJsonObject(spec) || !isJsonObject(spec['names']) || !Array.isArray(spec['versions'])) continue;
    const { kind, plural } = spec['names'];
    const group = spec['group'];
    if (typeof kind !== 'string' || typeof plural !== 'string' || typeof group !== 'string') continue;
    for (const each of spec['versions'] as readonly Json[]) {
      if (!isJsonObject(each) || typeof each['name'] !== 'string') continue;
      const apiVersion = `${group}/${each['name']}`;
      const schema = isJsonObject(each['schema']) ? each['schema']['openAPIV3Schema'] : undefined;
      const name = `${group}.${each['name']}.${kind}`;
      if (isJsonObject(schema)) {
        data.definitions[name] = compactOpenApi({ ...schema, type: 'object', 'x-kubernetes-embedded-resource': true });
        data.kinds[`${apiVersion}/${kind}`] = name;
      }
      const subresources = isJsonObject(each['subresources']) ? each['subresources'] : {};
      data.resources[apiVersion] ??= empty();
      (data.resources[apiVersion] as Record<string, unknown>)[plural] = {
        kind: `${apiVersion}/${kind}`,
        ...(spec['scope'] === 'Namespaced' ? { namespaced: true } : {}),
        subresources: {
          ...(Object.hasOwn(subresources, 'status') ? { status: '' } : {}),
          ...(Object.hasOwn(subresources, 'scale') ? { scale: 'autoscaling/v1/Scale' } : {}),
        },
      };
    }
  }
  return data;
}

interface Mutable {
  readonly definitions: { [name: string]: CompactSchema };
  readonly kinds: { [kind: string]: string };
  readonly resources: { [apiVersion: string]: TypeTableData['resources'][string] };
}

/** `apps`, `v1` → `apps/v1`; the core group has no name. */
export function formatApiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `apps/v1` → `apps`, `v1`. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.lastIndexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

function parseKind(text: string): ResourceType['kind'] {
  const slash = text.lastIndexOf('/');
  return { ...parseApiVersion(text.slice(0, slash)), kind: text.slice(slash + 1) };
}

function own<T>(record: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function lookup<T>(tables: readonly TypeTableData[], find: (table: TypeTableData) => T | undefined): T | undefined {
  for (const table of tables) {
    const found = find(table);
    if (found !== undefined) return found;
  }
  return undefined;
}
