import kubernetes from '../../schemas/kubernetes/v1.37.json' with { type: 'json' };
import type { TypeTableData } from '../object/compact-schema.ts';
import { createTypeTable, type TypeTable } from '../object/type-table.ts';

const data = kubernetes as unknown as TypeTableData;
let plain: TypeTable | undefined;

/** The built-in kinds of the newest supported Kubernetes, with further tables before them. */
export function builtInTypes(further: readonly TypeTableData[]): TypeTable {
  if (further.length > 0) return createTypeTable(...further, data);
  plain ??= createTypeTable(data);
  return plain;
}
