import type { Json, JsonObject } from '../../../../engine/object/json.ts';
import type { TableColumn, TablePrinter } from '../kinds/definition.ts';
import { metadataText } from '../verbs/object-metadata.ts';
import { age } from './age.ts';

/** The rows of one of Kubernetes' own resources, by `group/resource`. */
export function printerOf(_path: string, _version: string, columns: readonly TableColumn[]): TablePrinter {
  return { columns, cells: (object, now) => columns.map((column) => generic(column, object, now)) };
}

/** What any object can say to a column. */
function generic(column: TableColumn, object: JsonObject, now: number): Json {
  if (column.format === 'name') return metadataText(object, 'name');
  if (column.name === 'Age' || column.name === 'Created At') return age(metadataText(object, 'creationTimestamp'), now);
  return column.type === 'integer' || column.type === 'number' ? 0 : '';
}
