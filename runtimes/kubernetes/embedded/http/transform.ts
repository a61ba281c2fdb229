import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import { metadataOf } from '../../../../engine/object/metadata.ts';
import { stringifyJson } from '../../../host/json-body.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import { StatusError } from '../status-error.ts';
import { contentText, listText, objectText } from './encode.ts';
import type { Representation } from './media-type.ts';

/** What a row of a table carries of its object. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** How objects of one resource are shown in one answer. */
export interface View {
  readonly definition: ResourceDefinition;
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  /** Milliseconds since the epoch, for ages. */
  readonly now: () => number;
}

/** The metadata of an object and nothing else. */
export function partialMetadata(object: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: metadataOf(object) };
}

/** One object as the client asked for it. */
export function viewObject(view: View, object: JsonObject): string {
  switch (view.representation.as) {
    case 'object':
      return objectText(object);
    case 'partial':
      if (view.representation.list) throw otherForm(view.definition, true);
      return stringifyJson(partialMetadata(object));
    case 'table':
      return stringifyJson(tableOf(view, [object], { resourceVersion: metadataOf(object)['resourceVersion'] ?? '' }, true));
  }
}

/** A list as the client asked for it. */
export function viewList(view: View, metadata: JsonObject, items: readonly JsonObject[]): string {
  const { definition, representation } = view;
  switch (representation.as) {
    case 'object': {
      const apiVersion = definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
      return listText({ kind: definition.listKind, apiVersion, metadata }, items, definition.builtIn ? contentText : objectText);
    }
    case 'partial':
      if (!representation.list) throw otherForm(definition, false);
      return listText({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }, items, (item) =>
        stringifyJson(partialMetadata(item)),
      );
    case 'table':
      return stringifyJson(tableOf(view, items, metadata, true));
  }
}

/** The metadata of a list is asked for in another way than that of an object. Kubernetes: handlers/response.go. */
function otherForm({ group, kind, listKind, builtIn }: ResourceDefinition, asksForList: boolean): StatusError {
  const room = group === '' ? 'core' : (group.split('.')[0] as string);
  const type = builtIn ? `${room}.${asksForList ? kind : listKind}` : `unstructured.Unstructured${asksForList ? '' : 'List'}`;
  const why = asksForList
    ? `you requested PartialObjectMetadataList, but the requested object is not a list (*${type})`
    : `you requested PartialObjectMetadata, but the requested object is a list (*${type})`;
  return new StatusError(406, 'NotAcceptable', why);
}

/** A table; `withColumns` is false for all but the first event of a watch. */
export function tableOf(view: View, objects: readonly JsonObject[], metadata: JsonObject, withColumns: boolean): JsonObject {
  const { definition, includeObject } = view;
  const { printer } = definition;
  const now = view.now();
  const version = view.representation.as === 'table' ? view.representation.version : 'v1';
  const rows: Json[] = objects.map((object) => ({
    cells: printer.cells(object, now),
    object: includeObject === 'Object' ? object : includeObject === 'Metadata' ? partialMetadata(object) : null,
  }));
  const columns: Json[] = withColumns ? printer.columns.map((column) => ({ ...column })) : [];
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: withColumns ? columns : null,
    rows: rows.length === 0 && printer.isGeneric ? null : rows,
  };
}
