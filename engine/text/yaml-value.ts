import { EVENT_ID, type Event, getScalarValue, type MappingEvent, SCALAR_STYLE, type ScalarEvent, type SequenceEvent } from 'js-yaml';
import type { Span } from './diagnostic.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import type { TextLimits } from './limits.ts';
import { isInteger, keyOfScalar, resolvePlainScalar } from './yaml-scalar.ts';
import { scalarSpan } from './yaml-tree.ts';

/** Who writes `name: {{ .Values.name }}` comes from Helm, where it is not YAML yet. */
export const BRACES_HINT = 'text that holds {{ must be quoted; an expression of a template is written "${…}"';

/** A value that an anchor names: how many values it holds and how deep it is, so that aliases can be charged for it. */
interface Anchored {
  readonly value: unknown;
  readonly size: number;
  readonly depth: number;
}

/**
 * Builds plain data from parser events. Aliases share the value they name; what they add up to is limited, so that nine lines
 * of anchors can't stand for a billion values.
 */
export class ValueBuilder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #limits: TextLimits;
  readonly #report: DiagnosticList;
  readonly #anchors = new Map<string, Anchored>();
  readonly #open = new Set<string>();
  #next: number;
  #lastEnd = 0;
  #size = 0;
  #aliased = 0;
  #deepest = 0;

  constructor(text: string, events: readonly Event[], from: number, limits: TextLimits, report: DiagnosticList) {
    this.#text = text;
    this.#events = events;
    this.#next = from;
    this.#limits = limits;
    this.#report = report;
  }

  build(): unknown {
    return this.#read(0);
  }

  #read(depth: number): unknown {
    const event = this.#events[this.#next++];
    if (event === undefined) return null;
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd, depth);
    if (event.type !== EVENT_ID.SCALAR && event.type !== EVENT_ID.SEQUENCE && event.type !== EVENT_ID.MAPPING) return null;
    this.#size++;
    if (depth > this.#deepest) this.#deepest = depth;
    if (event.anchorStart === -1) return this.#content(event, depth);
    const name = this.#text.slice(event.anchorStart, event.anchorEnd);
    const sizeBefore = this.#size - 1;
    const deepestBefore = this.#deepest;
    this.#deepest = depth;
    this.#open.add(name);
    const value = this.#content(event, depth);
    this.#open.delete(name);
    this.#anchors.set(name, { value, size: this.#size - sizeBefore, depth: this.#deepest - depth });
    this.#deepest = Math.max(this.#deepest, deepestBefore);
    return value;
  }

  #content(event: ScalarEvent | SequenceEvent | MappingEvent, depth: number): unknown {
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.SEQUENCE:
        this.#checkTag(event, 'seq');
        return this.#list(depth);
      default:
        this.#checkTag(event, 'map');
        return this.#map(depth);
    }
  }

  #alias(start: number, end: number, depth: number): unknown {
    const name = this.#text.slice(start, end);
    const span = { start: start - 1, end };
    this.#lastEnd = end;
    const target = this.#anchors.get(name);
    if (this.#open.has(name)) {
      this.#report.add('yaml-recursive-alias', `alias *${name} stands inside the value it names`, span);
      return null;
    }
    if (target === undefined) {
      this.#report.add('yaml-unknown-anchor', `no anchor &${name} stands before this alias`, span, {
        hint: 'an anchor is valid from where it is written to the end of its document',
      });
      return null;
    }
    this.#aliased += target.size;
    this.#size += target.size;
    if (this.#aliased > this.#limits.maxAliasedValues) {
      if (this.#aliased - target.size <= this.#limits.maxAliasedValues) {
        this.#report.add('yaml-alias-bomb', `the aliases stand for more than ${this.#limits.maxAliasedValues} values`, span);
      }
      return null;
    }
    if (depth + target.depth > this.#limits.maxDepth) {
      this.#report.add('text-too-deep', `the aliases nest more than ${this.#limits.maxDepth} levels`, span);
      return null;
    }
    this.#deepest = Math.max(this.#deepest, depth + target.depth);
    return target.value;
  }

  #scalar(event: ScalarEvent): unknown {
    const text = getScalarValue(this.#text, event);
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    const span = scalarSpan(this.#text, event, this.#lastEnd);
    this.#lastEnd = Math.max(this.#lastEnd, span.end);
    if (event.tagStart !== -1) return this.#tagged(event, text, span);
    if (!isPlain) return text;
    const meaning = resolvePlainScalar(text);
    switch (meaning.kind) {
      case 'value':
        return meaning.value;
      case 'boolean-word':
        this.#report.add('yaml-boolean-word', `Kubernetes reads \`${text}\` as ${meaning.value}, not as text`, span, {
          severity: 'warning',
          hint: `write ${meaning.value}, or "${text}" if text is meant`,
        });
        return meaning.value;
      case 'not-json':
        this.#report.add('yaml-not-json', `\`${text}\` is not a number JSON can hold`, span, {
          hint: `quote it if text is meant: "${text}"`,
        });
        return null;
    }
  }

  #tagged(event: ScalarEvent, text: string, span: Span): unknown {
    const tag = this.#text.slice(event.tagStart, event.tagEnd);
    const short = tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, '!!$1');
    if (short === '!' || short === '!!str') return text;
    const meaning = resolvePlainScalar(text);
    const value = meaning.kind === 'not-json' ? undefined : meaning.value;
    const type = value === null ? '!!null' : typeof value === 'boolean' ? '!!bool' : typeof value === 'string' ? '!!str' : '!!number';
    switch (short) {
      case '!!null':
      case '!!bool':
        if (type === short) return value;
        break;
      case '!!int':
        if (type === '!!number' && isInteger(text)) return value;
        break;
      case '!!float':
        if (type === '!!number') return Number(value);
        break;
      default:
        this.#unsupportedTag(tag, event.tagStart, event.tagEnd);
        return text;
    }
    this.#report.add('yaml-wrong-tag', `\`${text}\` is not what its tag ${tag} says`, span);
    return null;
  }

  #checkTag(event: SequenceEvent | MappingEvent, expected: 'seq' | 'map'): void {
    if (event.tagStart === -1) return;
    const tag = this.#text.slice(event.tagStart, event.tagEnd);
    if (tag !== `!!${expected}` && tag !== '!' && tag !== `!<tag:yaml.org,2002:${expected}>`)
      this.#unsupportedTag(tag, event.tagStart, event.tagEnd);
  }

  #unsupportedTag(tag: string, start: number, end: number): void {
    this.#report.add(
      'yaml-unsupported-tag',
      `tag ${tag} has no meaning to Kubernetes`,
      { start, end },
      {
        hint: /[(.]/.test(tag)
          ? 'text that starts with `!` must be quoted'
          : 'documents hold text, numbers, booleans, null, lists and maps only',
      },
    );
  }

  #list(depth: number): unknown[] {
    const items: unknown[] = [];
    while (!this.#atPop()) items.push(this.#read(depth + 1));
    this.#next++;
    return items;
  }

  #atPop(): boolean {
    const event = this.#events[this.#next];
    return event === undefined || event.type === EVENT_ID.POP;
  }

  #map(depth: number): unknown {
    const target: Record<string, unknown> = {};
    const positions = new Map<string, Span>();
    const merges: unknown[] = [];
    while (!this.#atPop()) {
      const keyEvent = this.#events[this.#next] as Event;
      if (keyEvent.type === EVENT_ID.SCALAR && keyEvent.style === SCALAR_STYLE.PLAIN && this.#isMergeKey(keyEvent)) {
        this.#next++;
        const span = { start: keyEvent.valueStart, end: keyEvent.valueEnd };
        this.#lastEnd = span.end;
        this.#merge(this.#read(depth + 1), merges, span);
        continue;
      }
      const key = this.#key(keyEvent, depth);
      const value = this.#read(depth + 1);
      if (key === undefined) continue;
      const first = positions.get(key.name);
      // The last counts, as with Go's parser where it is not strict.
      setOwn(target, key.name, value);
      if (first === undefined) positions.set(key.name, key.span);
      else {
        const line = lineOf(this.#text, first.start);
        this.#report.add('yaml-duplicate-key', `key ${JSON.stringify(key.name)} is already set on line ${line}`, key.span, {
          hint: 'remove one of the two: which of them counts differs from parser to parser',
        });
      }
    }
    this.#next++;
    for (const source of merges) {
      for (const [name, value] of Object.entries(source as object)) if (!Object.hasOwn(target, name)) setOwn(target, name, value);
    }
    return target;
  }

  #isMergeKey(event: ScalarEvent): boolean {
    return event.valueEnd - event.valueStart === 2 && this.#text.startsWith('<<', event.valueStart);
  }

  #merge(value: unknown, merges: unknown[], span: Span): void {
    const sources = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (typeof source === 'object' && source !== null && !Array.isArray(source)) merges.push(source);
      else {
        this.#report.add('yaml-bad-merge', 'only a map, or a list of maps, can be merged with <<', span);
        return;
      }
    }
  }

  #key(event: Event, depth: number): { readonly name: string; readonly span: Span } | undefined {
    if (event.type === EVENT_ID.SCALAR) {
      this.#next++;
      const span = scalarSpan(this.#text, event, this.#lastEnd);
      this.#lastEnd = Math.max(this.#lastEnd, span.end);
      if (event.anchorStart !== -1) {
        const value = getScalarValue(this.#text, event);
        this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), { value, size: 1, depth: 0 });
      }
      if (event.style === SCALAR_STYLE.PLAIN && event.tagStart === -1) this.#checkPlainKey(event, span);
      return { name: keyOfScalar(this.#text, event, getScalarValue), span };
    }
    if (event.type === EVENT_ID.ALIAS) {
      const span = { start: event.anchorStart - 1, end: event.anchorEnd };
      const value = this.#read(depth + 1);
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
        return { name: String(value), span };
      }
      if (value !== null) this.#report.add('yaml-complex-key', 'a map key must be text', span);
      return undefined;
    }
    const start = 'start' in event ? event.start : this.#lastEnd;
    this.#read(depth + 1);
    const hint = this.#text.startsWith('{{', start - 1) ? BRACES_HINT : undefined;
    const span = { start, end: Math.max(this.#lastEnd, start + 1) };
    this.#report.add('yaml-complex-key', 'a map key must be text, not a list or a map', span, { hint });
    return undefined;
  }

  #checkPlainKey(event: ScalarEvent, span: Span): void {
    const text = getScalarValue(this.#text, event);
    const meaning = resolvePlainScalar(text);
    if (meaning.kind === 'boolean-word') {
      this.#report.add('yaml-boolean-word', `Kubernetes reads the key \`${text}\` as "${meaning.value}"`, span, {
        severity: 'warning',
        hint: `quote it: "${text}"`,
      });
    } else if (meaning.kind === 'not-json' || (meaning.kind === 'value' && meaning.value === null)) {
      this.#report.add('yaml-complex-key', `a map key must be text, not ${text === '' ? 'empty' : `\`${text}\``}`, span, {
        hint: 'quote it',
      });
    }
  }
}

/** Sets an own property whatever its name: assigning to `__proto__` would change the prototype instead. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  else target[name] = value;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
