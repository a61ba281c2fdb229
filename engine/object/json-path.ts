import { goFloat } from './go-format.ts';
import { goMapJson } from './go-json.ts';
import { isJsonObject, type Json, jsonEqual, ownValue } from './json.ts';

/** The values a path leads to, in order; none where something on the way is missing. */
export type JsonPathReader = (root: Json) => readonly Json[];

/**
 * Reads a path as columns and selectable fields of custom resources have it: `.spec.replicas`, `.metadata.annotations.a\.b`,
 * `['key']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `..name`, `[?(@.type=="Ready")].status`. Undefined for what is none.
 *
 * Kubernetes: client-go util/jsonpath, without templates around the path and without unions.
 */
export function compileJsonPath(path: string): JsonPathReader | undefined {
  const steps: Step[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    const found = readStep(path, at);
    if (found === undefined) return undefined;
    steps.push(found.step);
    at = found.end;
  }
  return (root) => {
    let values: readonly Json[] = [root];
    for (const step of steps) {
      const next: Json[] = [];
      for (const value of values) step(value, next);
      values = next;
    }
    return values;
  };
}

/** A value as columns of text show it. */
export function jsonPathText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return '<nil>';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  return typeof value === 'object' ? goMapJson(value) : String(value);
}

type Step = (value: Json, out: Json[]) => void;

const NAME = /((?:[^.[\]\\{}\s]|\\.)+)/y;
const QUOTED = /\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/y;
const SLICE = /\[\s*(-?\d*)\s*(?:(:)\s*(-?\d*)\s*)?\]/y;
const FILTER = /\[\s*\?\s*\(\s*@((?:[^()'"]|'[^']*'|"[^"]*")*?)\s*\)\s*\]/y;
const ALL = /\[\s*\*\s*\]/y;

function readStep(path: string, at: number): { readonly step: Step; readonly end: number } | undefined {
  const match = (pattern: RegExp, from: number): RegExpExecArray | null => {
    pattern.lastIndex = from;
    return pattern.exec(path);
  };
  if (path.startsWith('..', at)) {
    const name = match(NAME, at + 2);
    return name === null ? undefined : { step: descend(plain(name[1] as string)), end: NAME.lastIndex };
  }
  if (path[at] === '.') {
    if (path[at + 1] === '[') return readStep(path, at + 1);
    if (at + 1 === path.length) return { step: (value, out) => void out.push(value), end: path.length };
    const name = match(NAME, at + 1);
    if (name === null) return undefined;
    return { step: name[1] === '*' ? all : field(plain(name[1] as string)), end: NAME.lastIndex };
  }
  if (path[at] !== '[') return undefined;
  if (match(ALL, at) !== null) return { step: all, end: ALL.lastIndex };
  const quoted = match(QUOTED, at);
  if (quoted !== null) return { step: field(plain((quoted[1] ?? quoted[2]) as string)), end: QUOTED.lastIndex };
  const filter = match(FILTER, at);
  if (filter !== null) {
    const step = filterStep(filter[1] as string);
    return step && { step, end: FILTER.lastIndex };
  }
  const slice = match(SLICE, at);
  if (slice === null || (slice[1] === '' && slice[2] === undefined)) return undefined;
  return { step: sliceStep(slice), end: SLICE.lastIndex };
}

function plain(name: string): string {
  return name.replace(/\\(.)/g, '$1');
}

function field(name: string): Step {
  return (value, out) => {
    const child = isJsonObject(value) ? ownValue(value, name) : undefined;
    if (child !== undefined) out.push(child);
  };
}

function descend(name: string): Step {
  const step: Step = (value, out) => {
    if (isJsonObject(value)) {
      const child = ownValue(value, name);
      if (child !== undefined) out.push(child);
    }
    if (typeof value === 'object' && value !== null) for (const child of Object.values(value) as Json[]) step(child, out);
  };
  return step;
}

const all: Step = (value, out) => {
  if (typeof value === 'object' && value !== null) out.push(...(Object.values(value) as Json[]));
};

function sliceStep([, from = '', colon, to = '']: RegExpExecArray): Step {
  return (value, out) => {
    if (!Array.isArray(value)) return;
    const start = from === '' ? 0 : Number(from);
    if (colon !== undefined) out.push(...value.slice(start, to === '' ? undefined : Number(to)));
    else {
      const item = value.at(start) as Json | undefined;
      if (item !== undefined) out.push(item);
    }
  };
}

const COMPARISON = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/;

/** `.type=="Ready"`: elements of a list that compare so, or that have the path. */
function filterStep(text: string): Step | undefined {
  const comparison = COMPARISON.exec(text);
  const read = compileJsonPath((comparison?.[1] ?? text).trim());
  if (read === undefined) return undefined;
  const operator = comparison?.[2];
  const wanted = comparison === null ? undefined : literal((comparison[3] as string).trim());
  if (comparison !== null && wanted === undefined) return undefined;
  return (value, out) => {
    if (!Array.isArray(value)) return;
    for (const item of value as readonly Json[]) {
      const found = read(item);
      if (wanted === undefined ? found.length > 0 : found.length > 0 && compare(found[0] as Json, operator as string, wanted))
        out.push(item);
    }
  };
}

function literal(text: string): Json | undefined {
  const quoted = /^(?:'(.*)'|"(.*)")$/.exec(text);
  if (quoted !== null) return plain((quoted[1] ?? quoted[2]) as string);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function compare(left: Json, operator: string, right: Json): boolean {
  if (operator === '==') return jsonEqual(left, right);
  if (operator === '!=') return !jsonEqual(left, right);
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
  const [a, b] = [left as number, right as number];
  return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b;
}
