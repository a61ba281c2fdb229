import type { Json } from './json.ts';

/**
 * A structural schema in few bytes: the form of the files under `schemas/kubernetes`, and of schemas in rules once read.
 * Only what shapes an object is kept: types, list and map semantics, defaults; no descriptions and no value constraints.
 *
 * A string is a scalar or a reference:
 * - `string`, `integer`, `number`, `boolean`, with the format behind a slash where there is one: `string/date-time`, `integer/int32`
 * - `int-or-string`, `quantity`
 * - `any`: whatever JSON, merged as the API server merges what it has no schema for (maps by key, lists as a whole)
 * - `raw`: whatever JSON, always replaced as a whole (runtime.RawExtension)
 * - `#core.v1.Container`: the definition of that name
 */
export type CompactSchema = string | CompactList | CompactMap | CompactObject | CompactReference;

/** A list; atomic unless `by` (a map by these keys) or `set` says otherwise. */
export interface CompactList {
  readonly list: CompactSchema;
  readonly by?: readonly string[];
  readonly set?: true;
  /** How kubectl's strategic merge patch treats it, where that is not as a whole: the merge key, or `` for a set. */
  readonly patch?: string;
}

/** A map with values of one type. */
export interface CompactMap {
  readonly map: CompactSchema;
  readonly atomic?: true;
}

export interface CompactObject {
  readonly fields: { readonly [name: string]: CompactSchema };
  readonly required?: readonly string[];
  readonly defaults?: { readonly [name: string]: Json };
  /**
   * Fields whose published default is the zero value of their Go type (``, 0, false). Nothing sets it; it only stands for a
   * missing key field when list elements are told apart.
   */
  readonly zero?: readonly string[];
  /** Type of the fields that are not declared; absent: there may be none. */
  readonly rest?: CompactSchema;
  readonly atomic?: true;
  /** A whole Kubernetes object inside another: apiVersion, kind and metadata are understood. */
  readonly embedded?: true;
}

/** A reference that overrides how the referenced map merges. */
export interface CompactReference {
  readonly ref: string;
  readonly atomic: boolean;
}

/** What a resource or subresource is: `pods` is a `v1/Pod`, `pods/exec` a `v1/PodExecOptions`. */
export interface CompactResource {
  /** `v1/Pod`, `policy/v1/Eviction`. */
  readonly kind: string;
  readonly namespaced?: true;
  /** Kinds by subresource name, as far as they differ from `kind`; `` where they do not. */
  readonly subresources?: { readonly [name: string]: string };
}

/** A table of Kubernetes types: what a file under `schemas/kubernetes` holds. */
export interface TypeTableData {
  /** The Kubernetes it was taken from: `v1.37.2`; `` for custom resources. */
  readonly kubernetes: string;
  readonly definitions: { readonly [name: string]: CompactSchema };
  /** Definition by `apiVersion/Kind`: `apps/v1/Deployment`, `v1/Pod`. */
  readonly kinds: { readonly [kind: string]: string };
  /** By `apiVersion`, then resource name. */
  readonly resources: { readonly [apiVersion: string]: { readonly [resource: string]: CompactResource } };
}
