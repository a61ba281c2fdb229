import { builtInTypes } from '../../../../engine/bundle/built-in-types.ts';
import type { JsonObject } from '../../../../engine/object/json.ts';
import type { MapSchema } from '../../../../engine/object/schema.ts';
import { parseApiVersion } from '../../../../engine/object/type-table.ts';
import served from '../../../../schemas/kubernetes/served-v1.37.json' with { type: 'json' };
import { printerOf } from '../table/printers.ts';
import type { ResourceDefinition, SubresourceDefinition, TableColumn } from './definition.ts';
import { withGoZeroes } from './go-zeroes.ts';
import { SCALES } from './scale.ts';
import { SELECTABLE_FIELDS } from './selectable-fields.ts';
import { CONVERSIONS, STORED_ELSEWHERE } from './stored-versions.ts';
import { builtInStrategy } from './strategies/index.ts';

/** One line of `schemas/kubernetes/served-*.json`, which is what a real API server says of itself. */
interface ServedEntry {
  readonly apiVersion: string;
  readonly resource: string;
  /** With its group and version where they are not those of the resource. */
  readonly kind: string;
  readonly namespaced?: boolean;
  readonly singular: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly { readonly name: string; readonly kind: string; readonly verbs: readonly string[] }[];
  readonly columns?: readonly (readonly [string, string, string, string, number])[];
}

/** The Kubernetes whose behaviour is followed. */
export const KUBERNETES_VERSION = { gitVersion: served.kubernetes, major: served.major, minor: served.minor };

/** Kubernetes' own resources, as a server of that version serves them by default. */
export function builtInResources(): readonly ResourceDefinition[] {
  const types = builtInTypes([]);
  return (served.resources as unknown as readonly ServedEntry[]).map((entry): ResourceDefinition => {
    const { group, version } = parseApiVersion(entry.apiVersion);
    const subresources = (entry.subresources ?? []).map(
      (sub): SubresourceDefinition => ({ name: sub.name, verbs: sub.verbs, ...kindOf(entry, sub.kind) }),
    );
    const path = `${group}/${entry.resource}`;
    const stored = STORED_ELSEWHERE.get(`${entry.apiVersion}/${entry.resource}`);
    const columns = (entry.columns ?? []).map(
      ([name, type, format, description, priority]): TableColumn => ({ name, type, format, description, priority }),
    );
    const { kind } = kindOf(entry, entry.kind);
    const schema: MapSchema | undefined = types.kind(group, version, kind);
    const conversion = completed(CONVERSIONS.get(`${entry.apiVersion}/${entry.resource}`), schema?.name ?? '');
    const scale = subresources.some(({ name }) => name === 'scale') ? SCALES.get(path) : undefined;
    return {
      group,
      version,
      resource: entry.resource,
      kind,
      namespaced: entry.namespaced ?? false,
      verbs: entry.verbs,
      subresources: subresources.map(({ name }) => name),
      singular: entry.singular,
      listKind: `${kind}List`,
      shortNames: entry.shortNames ?? [],
      categories: entry.categories ?? [],
      schema,
      builtIn: true,
      subresourceDefinitions: subresources,
      storedIn: stored?.storedIn ?? path,
      storedApiVersion: stored?.apiVersion ?? entry.apiVersion,
      strategy: builtInStrategy(stored?.storedIn ?? path, entry.apiVersion, kind),
      printer: printerOf(path, columns),
      selectableFields: SELECTABLE_FIELDS.get(path) ?? NO_FIELDS,
      ...(DEPRECATED.has(path) ? { deprecationWarning: DEPRECATED.get(path) as string } : {}),
      ...(conversion === undefined ? {} : { conversion }),
      ...(scale === undefined ? {} : { scale }),
    };
  });
}

/** What clients are told of kinds that have had their day. Kubernetes: k8s.io/api core/v1 zz_generated.prerelease-lifecycle.go. */
const DEPRECATED: ReadonlyMap<string, string> = new Map([
  ['/endpoints', 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  ['/componentstatuses', 'v1 ComponentStatus is deprecated in v1.19+'],
]);

/** A conversion whose results have what Go always writes. */
function completed(conversion: ResourceDefinition['conversion'], type: string): ResourceDefinition['conversion'] {
  if (conversion === undefined) return undefined;
  return { ...conversion, fromStored: (object) => withGoZeroes(conversion.fromStored(object), type) as JsonObject };
}

const NO_FIELDS: ResourceDefinition['selectableFields'] = new Map();

function kindOf(entry: ServedEntry, text: string): { readonly group: string; readonly version: string; readonly kind: string } {
  const slash = text.lastIndexOf('/');
  return { ...parseApiVersion(slash < 0 ? entry.apiVersion : text.slice(0, slash)), kind: text.slice(slash + 1) };
}
