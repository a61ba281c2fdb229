import type { TableColumn, TablePrinter } from '../kinds/definition.ts';
import { ageAt, type Cell, textAt } from './cell-values.ts';
import { CORE_CELLS, EVENT_CELLS } from './core-cells.ts';
import { OTHER_CELLS } from './other-cells.ts';
import { POD_CELLS } from './pod-cells.ts';

const CELLS: ReadonlyMap<string, { readonly [column: string]: Cell }> = new Map([
  ...Object.entries(CORE_CELLS),
  ...Object.entries(OTHER_CELLS),
  ['/pods', POD_CELLS],
  ['/events', EVENT_CELLS],
  ['events.k8s.io/events', EVENT_CELLS],
]);

const NAME = textAt('metadata.name');
const AGE = ageAt('metadata.creationTimestamp');

/** The rows of one of Kubernetes' own resources, by `group/resource`. */
export function printerOf(path: string, columns: readonly TableColumn[]): TablePrinter {
  const own = CELLS.get(path) ?? {};
  const cells = columns.map(({ name, type, format }): Cell => {
    if (Object.hasOwn(own, name)) return own[name] as Cell;
    if (format === 'name' || name === 'Name') return NAME;
    if (name === 'Age') return AGE;
    // A date is shown as it is, and aged by the client.
    if (type === 'date') return textAt('metadata.creationTimestamp');
    return () => (type === 'integer' || type === 'number' ? 0 : '');
  });
  const isGeneric = columns.some(({ name }) => name === 'Created At');
  return { columns, isGeneric, cells: (object, now) => cells.map((cell) => cell(object, now)) };
}
