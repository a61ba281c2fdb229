import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { compileJsonPath, type JsonPathReader, jsonPathText } from '../../../../engine/object/json-path.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import type { TableColumn, TablePrinter } from '../kinds/definition.ts';
import { age } from '../table/age.ts';
import { textOf } from './fields.ts';

const NAME_COLUMN: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

const AGE_COLUMN: JsonObject = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  jsonPath: '.metadata.creationTimestamp',
};

/**
 * Rows of custom resources, by the `additionalPrinterColumns` of a version; without any, name and age. Kubernetes:
 * apiextensions-apiserver pkg/registry/customresource/tableconvertor.
 */
export function columnPrinter(columns: readonly JsonObject[]): TablePrinter {
  const shown = (columns.length > 0 ? columns : [AGE_COLUMN]).map((column) => {
    const path = textOf(column, 'jsonPath');
    const priority = ownValue(column, 'priority');
    const description = textOf(column, 'description');
    return {
      column: {
        name: textOf(column, 'name'),
        type: textOf(column, 'type'),
        format: textOf(column, 'format'),
        description: description === '' ? `Custom resource definition column (in JSONPath format): ${path}` : description,
        priority: typeof priority === 'number' ? priority : 0,
      },
      read: compileJsonPath(path),
    };
  });
  return {
    columns: [NAME_COLUMN, ...shown.map(({ column }) => column)],
    cells: (object, now) => [metadataText(object, 'name'), ...shown.map(({ column, read }) => cell(object, column.type, read, now))],
  };
}

function cell(object: JsonObject, type: string, read: JsonPathReader | undefined, now: number): Json {
  const [value] = read?.(object) ?? [];
  if (value === undefined) return null;
  switch (type) {
    case 'string':
      return jsonPathText(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value !== 'string' ? null : Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, now);
    default:
      return null;
  }
}

/** Values of selectable fields as selectors compare them. */
export function selectableFieldReaders(paths: readonly string[]): ReadonlyMap<string, (object: JsonObject) => string> {
  return new Map(
    paths.map((path) => {
      const read = compileJsonPath(path);
      const text = (object: JsonObject): string => {
        const [value] = read?.(object) ?? [];
        return value === undefined || value === null || isJsonObject(value) ? '' : jsonPathText(value);
      };
      return [path.replace(/^\./, ''), text];
    }),
  );
}
