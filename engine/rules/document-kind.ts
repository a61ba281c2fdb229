import { parseApiVersion } from '../object/type-table.ts';
import type { Document } from '../text/document.ts';

/** API group and kind of a document, whatever it looks like. */
export function kindOf({ value }: Document): { readonly group: string; readonly kind: string } {
  const read = (field: string): string => {
    const found =
      typeof value === 'object' && value !== null && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : '';
    return typeof found === 'string' ? found : '';
  };
  return { group: parseApiVersion(read('apiVersion')).group, kind: read('kind') };
}
