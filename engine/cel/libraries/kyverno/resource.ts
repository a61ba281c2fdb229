import type { Library } from '../../function.ts';
import { DYN, mapOf, opaque, STRING } from '../../types.ts';
import { CelError, type CelValue, Opaque, type PlainObject } from '../../values.ts';
import { declare, memberOverload } from '../declare.ts';

/** An object that a policy asks for, by the plural name of its resource. */
export interface ResourceQuery {
  readonly apiVersion: string;
  readonly resource: string;
  /** '' for cluster-scoped resources, and for all namespaces in a list. */
  readonly namespace: string;
  /** Of one object; absent for a list. */
  readonly name?: string;
  /** Of a list, in the form of `kubectl -l`. */
  readonly labelSelector?: string;
}

/** Where the objects come from. Undefined: not known yet, null: there is none. */
export interface ResourceLookup {
  get(query: ResourceQuery & { readonly name: string }): PlainObject | null | undefined;
  list(query: ResourceQuery): readonly PlainObject[] | undefined;
}

/** The variable `resource` of Kyverno's policies. */
export class ResourceContextValue extends Opaque {
  readonly typeName = 'resource.Context';
  readonly lookup: ResourceLookup;
  constructor(lookup: ResourceLookup) {
    super();
    this.lookup = lookup;
  }

  equals(): boolean | undefined {
    return undefined;
  }

  toString(): string {
    return this.typeName;
  }
}

/** What `resource.Get` and `resource.List` throw where the host has to fetch the objects first. */
export class ResourceNeeded extends CelError {
  readonly query: ResourceQuery;
  constructor(query: ResourceQuery) {
    super(`${query.resource} of ${query.apiVersion} are not known yet`, 'needs-fact');
    this.query = query;
  }
}

/** Type of the variable `resource`. */
export const RESOURCE_CONTEXT_TYPE = opaque('resource.Context');

function get(context: ResourceContextValue, apiVersion: string, resource: string, namespace: string, name: string): PlainObject {
  const query = { apiVersion, resource, namespace, name };
  const found = context.lookup.get(query);
  if (found === undefined) throw new ResourceNeeded(query);
  if (found === null) throw new CelError(`failed to get resource: ${qualified(apiVersion, resource)} "${name}" not found`);
  return found;
}

/** As in the API server's message: `deployments.apps`, `configmaps`. */
function qualified(apiVersion: string, resource: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? resource : `${resource}.${apiVersion.slice(0, slash)}`;
}

function list(context: ResourceContextValue, apiVersion: string, resource: string, namespace: string, labels?: PlainObject): PlainObject {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value as string}`);
  const query = { apiVersion, resource, namespace, ...(pairs.length === 0 ? {} : { labelSelector: pairs.sort().join(',') }) };
  const items = context.lookup.list(query);
  if (items === undefined) throw new ResourceNeeded(query);
  return { apiVersion, kind: 'List', items: items as readonly CelValue[] };
}

/** Objects of the cluster. Kyverno: pkg/cel/libs/resource; `Post` is not provided, because a rule changes nothing by looking. */
export const KYVERNO_RESOURCE_LIBRARY: Library = {
  name: 'kyverno.resource',
  functions: [
    declare(
      'Get',
      memberOverload('resource_get_string_string_string_string', [RESOURCE_CONTEXT_TYPE, STRING, STRING, STRING, STRING], DYN, get),
    ),
    declare(
      'List',
      memberOverload('resource_list_string_string_string', [RESOURCE_CONTEXT_TYPE, STRING, STRING, STRING], DYN, list),
      memberOverload(
        'resource_list_string_string_string_map',
        [RESOURCE_CONTEXT_TYPE, STRING, STRING, STRING, mapOf(STRING, STRING)],
        DYN,
        list,
      ),
    ),
  ],
};
