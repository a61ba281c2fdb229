import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml';
import type { Span } from './diagnostic.ts';
import type { TextEntry, TextNode } from './text-tree.ts';
import { scalarOffsets } from './yaml-offsets.ts';
import { keyOfScalar } from './yaml-scalar.ts';

/** The source range of a scalar, quotes included, `fallback` where it is empty. */
export function scalarSpan(text: string, event: ScalarEvent, fallback: number): Span {
  if (event.valueStart === -1) return { start: fallback, end: fallback };
  switch (event.style) {
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return { start: event.valueStart - 1, end: event.valueEnd + 1 };
    case SCALAR_STYLE.LITERAL_BLOCK:
    case SCALAR_STYLE.FOLDED_BLOCK: {
      let end = event.valueEnd;
      while (end > event.valueStart && /\s/.test(text[end - 1] as string)) end--;
      return { start: Math.min(event.valueStart + Math.max(event.indent, 0), end), end };
    }
    default:
      return { start: event.valueStart, end: event.valueEnd };
  }
}

/** Builds the tree of positions of the document whose content starts at `events[from]`. */
export function buildTextTree(text: string, events: readonly Event[], from: number): TextNode | undefined {
  let next = from;
  let lastEnd = 0;
  const anchors = new Map<string, TextNode>();

  function read(): TextNode | undefined {
    const event = events[next++];
    if (event === undefined) return undefined;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return anchored(event, scalar(event));
      case EVENT_ID.ALIAS: {
        lastEnd = event.anchorEnd;
        const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
        // An alias stands where it is used; what is inside it stands where it was written.
        return target === undefined ? { kind: 'scalar', start: event.anchorStart - 1, end: event.anchorEnd } : target;
      }
      case EVENT_ID.SEQUENCE:
        return anchored(event, list(event));
      case EVENT_ID.MAPPING:
        return anchored(event, map(event));
      default:
        return undefined;
    }
  }

  function anchored<T extends TextNode>(event: ScalarEvent | SequenceEvent | MappingEvent, node: T): T {
    if (event.anchorStart !== -1) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  function scalar(event: ScalarEvent): TextNode {
    const span = scalarSpan(text, event, lastEnd);
    lastEnd = Math.max(lastEnd, span.end);
    return event.fast && event.style === SCALAR_STYLE.PLAIN
      ? { kind: 'scalar', ...span }
      : { kind: 'scalar', ...span, ...(event.valueStart === -1 ? {} : { offsets: () => scalarOffsets(text, event) }) };
  }

  function list(event: SequenceEvent): TextNode {
    const items: TextNode[] = [];
    lastEnd = event.start;
    while (events[next] !== undefined && events[next]?.type !== EVENT_ID.POP) {
      const item = read();
      if (item !== undefined) items.push(item);
    }
    next++;
    return { kind: 'list', start: event.start, end: collectionEnd(event, ']'), items };
  }

  function map(event: MappingEvent): TextNode {
    const entries = new Map<string, TextEntry>();
    const merged = new Map<string, TextEntry>();
    lastEnd = event.start;
    while (events[next] !== undefined && events[next]?.type !== EVENT_ID.POP) {
      const keyEvent = events[next] as Event;
      const keyNode = read();
      const valueNode = read();
      if (keyNode === undefined || valueNode === undefined) break;
      const key = { start: keyNode.start, end: keyNode.end };
      const name = keyEvent.type === EVENT_ID.SCALAR ? keyOfScalar(text, keyEvent, getScalarValue) : text.slice(key.start, key.end);
      if (name === '<<' && keyEvent.type === EVENT_ID.SCALAR && keyEvent.style === SCALAR_STYLE.PLAIN) {
        for (const source of valueNode.kind === 'list' ? valueNode.items : [valueNode]) {
          if (source.kind === 'map') for (const [field, entry] of source.entries) if (!merged.has(field)) merged.set(field, entry);
        }
      } else if (!entries.has(name)) entries.set(name, { key, value: valueNode });
    }
    next++;
    for (const [field, entry] of merged) if (!entries.has(field)) entries.set(field, entry);
    return { kind: 'map', start: event.start, end: collectionEnd(event, '}'), entries };
  }

  /** Events say where a collection starts but not where it ends: behind its last part, and the bracket in flow style. */
  function collectionEnd(event: SequenceEvent | MappingEvent, bracket: string): number {
    let end = Math.max(lastEnd, event.start);
    if (event.style === COLLECTION_STYLE.FLOW) {
      if (end === event.start) end++;
      while (end < text.length && text[end] !== bracket) {
        if (text[end] === '#' && /\s/.test(text[end - 1] ?? ' ')) {
          const lineEnd = text.indexOf('\n', end);
          end = lineEnd === -1 ? text.length : lineEnd;
        } else end++;
      }
      end = Math.min(end + 1, text.length);
    }
    lastEnd = end;
    return end;
  }

  return read();
}
