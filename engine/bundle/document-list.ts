import type { Document, DocumentPath } from '../text/document.ts';

const MAX_LISTED = 100_000;

/** Documents with `kind: List` (what `kubectl get -o yaml` prints) taken apart into their items; positions stay those of the text. */
export function unpackLists(documents: readonly Document[]): readonly Document[] {
  const unpacked: Document[] = [];
  for (const document of documents) {
    const items = itemsOf(document.value);
    if (items === undefined) unpacked.push(document);
    else for (const index of items.keys()) if (unpacked.length < MAX_LISTED) unpacked.push(itemDocument(document, items, index));
  }
  return unpacked;
}

function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}

function itemDocument(list: Document, items: readonly unknown[], index: number): Document {
  const below = (path: DocumentPath): DocumentPath => ['items', index, ...path];
  return {
    source: list.source,
    index: list.index,
    value: items[index],
    locate: (path, part) => list.locate(below(path), part),
    locateWithin: (path, offset) => list.locateWithin(below(path), offset),
  };
}
