import type { Source, Span } from './diagnostic.ts';
import type { Document, DocumentPath } from './document.ts';

/** Where the parts of a document stand in its text: the document's shape with spans instead of values. */
export type TextNode = TextScalar | TextMap | TextList;

export interface TextScalar extends Span {
  readonly kind: 'scalar';
  /**
   * For a string: the source offset of each UTF-16 unit of the value, and one more for its end. Computed when asked for.
   * Absent when the value stands in the source as it is, from `start`.
   */
  readonly offsets?: () => ArrayLike<number>;
}

export interface TextMap extends Span {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, TextEntry>;
}

export interface TextEntry {
  readonly key: Span;
  readonly value: TextNode;
}

export interface TextList extends Span {
  readonly kind: 'list';
  readonly items: readonly TextNode[];
}

interface Found {
  readonly node: TextNode;
  readonly key: Span | undefined;
  /** How many segments of the path were followed. */
  readonly depth: number;
}

function follow(root: TextNode, path: DocumentPath): Found {
  let node = root;
  let key: Span | undefined;
  for (let depth = 0; depth < path.length; depth++) {
    const segment = path[depth] as string | number;
    if (node.kind === 'map') {
      const entry = node.entries.get(String(segment));
      if (entry === undefined) return { node, key, depth };
      key = entry.key;
      node = entry.value;
    } else if (node.kind === 'list') {
      const item = typeof segment === 'number' ? node.items[segment] : undefined;
      if (item === undefined) return { node, key, depth };
      key = undefined;
      node = item;
    } else return { node, key, depth };
  }
  return { node, key, depth: path.length };
}

function firstLine(text: string, span: Span): Span {
  const end = text.indexOf('\n', span.start);
  return end === -1 || end >= span.end ? span : { start: span.start, end: end > span.start && text[end - 1] === '\r' ? end - 1 : end };
}

/**
 * A document whose positions are computed when first asked for: most documents have nothing wrong with them, and
 * a dump of a cluster should not hold a second tree in memory.
 */
export function lazyDocument(source: Source, index: number, value: unknown, buildTree: () => TextNode | undefined): Document {
  let tree: TextNode | undefined;
  let isBuilt = false;
  const root = (): TextNode | undefined => {
    if (!isBuilt) {
      tree = buildTree();
      isBuilt = true;
    }
    return tree;
  };
  return {
    source,
    index,
    value,
    locate(path, part = 'value') {
      const top = root();
      if (top === undefined) return undefined;
      const { node, key, depth } = follow(top, path);
      // What is missing has no place of its own: the key that should have held it is the nearest thing to show.
      if (depth < path.length) return key ?? firstLine(source.text, node);
      if (part === 'key') return key ?? firstLine(source.text, node);
      return { start: node.start, end: node.end };
    },
    locateWithin(path, offset) {
      const top = root();
      if (top === undefined) return undefined;
      const { node, depth } = follow(top, path);
      if (depth < path.length || node.kind !== 'scalar' || offset < 0) return undefined;
      const offsets = node.offsets?.();
      if (offsets === undefined) return Math.min(node.start + offset, node.end);
      return offset < offsets.length ? offsets[offset] : offsets[offsets.length - 1];
    },
  };
}
