import type { CelIssue } from '../cel/issue.ts';
import { CelError, type CelValue } from '../cel/values.ts';
import type { DocumentPath } from '../text/document.ts';
import { celToJson, celToText, OMIT } from './cel-to-json.ts';
import { isJsonObject, type Json, MAX_JSON_DEPTH, measureJson, setOwn } from './json.ts';
import { splitTemplateText, type TemplatePiece, type TemplateTextIssue, wholeExpression } from './template-text.ts';

/** An expression of a template, and where it stands. */
export interface TemplateExpression {
  readonly text: string;
  /** Path of the string that holds it, inside the template. */
  readonly path: DocumentPath;
  /** Offset of its text inside that string. */
  readonly offset: number;
  /** Whether the string is a map key. */
  readonly part: 'key' | 'value';
  /** `value`: its value takes the string's place, whatever the type. `text`: it is put into text, so it must have one. */
  readonly use: 'value' | 'text';
}

/** A mistake in the template itself; mistakes in expressions are the business of who compiles them. */
export interface TemplateIssue extends Omit<TemplateTextIssue, 'code'> {
  readonly code: TemplateTextIssue['code'] | 'template-too-deep';
  readonly path: DocumentPath;
  readonly part: 'key' | 'value';
}

export interface RenderOptions {
  /** Characters of JSON that the rendered value may have. Default: 3 Mi, what the API server takes as one object. */
  readonly maxSize?: number;
}

/** A value with expressions in it. `E` is what the host compiles expressions to. */
export interface Template<E> {
  /** In the order in which they are evaluated. */
  readonly expressions: readonly E[];
  /**
   * The value with all expressions evaluated by `evaluate`; undefined when the whole template is one expression that is
   * absent. What has no expression in it is shared between renderings. Throws what `evaluate` throws, and a {@link CelError}
   * when a value does not fit its place.
   */
  render(evaluate: (expression: E) => CelValue, options?: RenderOptions): Json | undefined;
}

export interface CompiledTemplate<E> {
  readonly template: Template<E> | undefined;
  readonly issues: readonly TemplateIssue[];
}

/** Says where what is wrong with a template that stands at `path`. */
export function reportTemplateIssues(
  report: { issue(path: DocumentPath, issue: CelIssue): void },
  path: DocumentPath,
  issues: readonly TemplateIssue[],
): void {
  for (const { code, message, hint, path: below, start, end } of issues)
    report.issue([...path, ...below], { code, severity: 'error', message, hint, start, end, at: start });
}

const DEFAULT_MAX_SIZE = 3 * 1024 * 1024;

/**
 * Compiles plain data with `${ CEL }` in its strings and map keys. A string that is one whole `${...}` becomes the value of
 * the expression; where that is `optional.none()`, the field or the list element is left out. Any other string is text with
 * the values put in; `$${` is the text `${`.
 *
 * `compile` is asked for every expression and answers undefined for a bad one, after it has reported what is wrong; then
 * there is no template. All expressions are asked for, so that all mistakes come up at once.
 */
export function compileTemplate<E>(value: Json, compile: (expression: TemplateExpression) => E | undefined): CompiledTemplate<E> {
  const compiler = new TemplateCompiler(compile);
  const node = compiler.compile(value, []);
  const { expressions, issues } = compiler;
  if (issues.length > 0 || compiler.failed) return { template: undefined, issues };
  return {
    template: {
      expressions,
      render(evaluate, options) {
        const state: RenderState<E> = { evaluate, room: options?.maxSize ?? DEFAULT_MAX_SIZE };
        spend(state, node.size);
        const rendered = node.render(state);
        return rendered === OMIT ? undefined : rendered;
      },
    },
    issues,
  };
}

interface RenderState<E> {
  readonly evaluate: (expression: E) => CelValue;
  /** Characters left. */
  room: number;
}

interface TemplateNode<E> {
  /** Least number of characters of JSON, known before anything is evaluated. */
  readonly size: number;
  /** The value where there is no expression in it. */
  readonly constant?: Json;
  render(state: RenderState<E>): Json | typeof OMIT;
}

class TemplateCompiler<E> {
  readonly expressions: E[] = [];
  readonly issues: TemplateIssue[] = [];
  failed = false;
  readonly #compile: (expression: TemplateExpression) => E | undefined;

  constructor(compile: (expression: TemplateExpression) => E | undefined) {
    this.#compile = compile;
  }

  compile(value: Json, path: DocumentPath): TemplateNode<E> {
    if (typeof value === 'string') return this.#string(value, path);
    if (typeof value !== 'object' || value === null) return constant(value);
    if (path.length >= MAX_JSON_DEPTH) {
      const message = `the template nests deeper than ${MAX_JSON_DEPTH} levels`;
      this.issues.push({
        code: 'template-too-deep',
        message,
        hint: 'make it flatter',
        path: path.slice(0, 10),
        part: 'value',
        start: 0,
        end: 0,
      });
      return constant(null);
    }
    if (Array.isArray(value))
      return list(
        value,
        value.map((item: Json, i) => this.compile(item, [...path, i])),
      );
    return this.#map(value as { readonly [key: string]: Json }, path);
  }

  #map(value: { readonly [key: string]: Json }, path: DocumentPath): TemplateNode<E> {
    const entries = Object.keys(value).map((key) => ({
      key: this.#text(key, [...path, key], 'key'),
      value: this.compile(value[key] as Json, [...path, key]),
    }));
    if (entries.every((entry) => typeof entry.key === 'string' && entry.value.constant !== undefined)) {
      if (entries.every((entry) => value[entry.key as string] === entry.value.constant)) return constant(value);
      // Escapes have been undone in it.
      const object: { [key: string]: Json } = {};
      for (const entry of entries) setOwn(object, entry.key as string, entry.value.constant as Json);
      return constant(object);
    }
    return {
      size: 2 + entries.reduce((sum, entry) => sum + entry.value.size + (typeof entry.key === 'string' ? entry.key.length + 4 : 4), 0),
      render(state) {
        const object: { [key: string]: Json } = {};
        for (const entry of entries) {
          const rendered = entry.value.constant === undefined ? entry.value.render(state) : entry.value.constant;
          if (rendered === OMIT) continue;
          const key = typeof entry.key === 'string' ? entry.key : entry.key(state);
          if (Object.hasOwn(object, key)) throw new CelError(`two keys of the template are ${JSON.stringify(key)}`);
          setOwn(object, key, rendered);
        }
        return object;
      },
    };
  }

  #string(value: string, path: DocumentPath): TemplateNode<E> {
    if (!value.includes('$')) return constant(value);
    const pieces = this.#split(value, path, 'value');
    const whole = wholeExpression(pieces);
    if (whole === undefined) {
      const text = this.#concatenation(pieces, path, 'value');
      return typeof text === 'string' ? constant(text) : { size: 2, render: text };
    }
    const expression = this.#expression(whole, path, 'value', 'value');
    if (expression === undefined) return constant(null);
    const depth = path.length;
    return {
      size: 0,
      render(state) {
        const json = celToJson(state.evaluate(expression));
        if (json === OMIT) return OMIT;
        const measured = measureJson(json, state.room, MAX_JSON_DEPTH - depth);
        spend(state, measured.size);
        if (measured.depth > MAX_JSON_DEPTH - depth) throw new CelError(`the rendered value nests deeper than ${MAX_JSON_DEPTH} levels`);
        return json;
      },
    };
  }

  #text(value: string, path: DocumentPath, part: 'key' | 'value'): string | ((state: RenderState<E>) => string) {
    if (!value.includes('$')) return value;
    return this.#concatenation(this.#split(value, path, part), path, part);
  }

  #concatenation(
    pieces: readonly TemplatePiece[],
    path: DocumentPath,
    part: 'key' | 'value',
  ): string | ((state: RenderState<E>) => string) {
    const parts: (string | { readonly expression: E })[] = [];
    for (const piece of pieces) {
      if (piece.kind === 'text') parts.push(piece.text);
      else {
        const expression = this.#expression(piece, path, part, 'text');
        if (expression !== undefined) parts.push({ expression });
      }
    }
    if (parts.every((each) => typeof each === 'string')) return parts.join('');
    return (state) => {
      let text = '';
      for (const each of parts) {
        const added = typeof each === 'string' ? each : celToText(state.evaluate(each.expression));
        spend(state, added.length);
        text += added;
      }
      return text;
    };
  }

  #split(value: string, path: DocumentPath, part: 'key' | 'value'): readonly TemplatePiece[] {
    const { pieces, issues } = splitTemplateText(value);
    for (const issue of issues) this.issues.push({ ...issue, path, part });
    return pieces;
  }

  #expression(
    piece: Extract<TemplatePiece, { kind: 'expression' }>,
    path: DocumentPath,
    part: 'key' | 'value',
    use: 'value' | 'text',
  ): E | undefined {
    if (piece.text.trim() === '') return undefined;
    const expression = this.#compile({ text: piece.text, path, offset: piece.start, part, use });
    if (expression === undefined) this.failed = true;
    else this.expressions.push(expression);
    return expression;
  }
}

function constant<E>(value: Json): TemplateNode<E> {
  return { size: measureJson(value).size, constant: value, render: () => value };
}

function list<E>(source: readonly Json[], items: readonly TemplateNode<E>[]): TemplateNode<E> {
  if (items.every((item, i) => item.constant !== undefined && item.constant === source[i])) return constant(source);
  return {
    size: 2 + items.reduce((sum, item) => sum + item.size + 1, 0),
    render(state) {
      const rendered: Json[] = [];
      for (const item of items) {
        const value = item.constant === undefined ? item.render(state) : item.constant;
        if (value !== OMIT) rendered.push(value);
      }
      return rendered;
    },
  };
}

function spend<E>(state: RenderState<E>, size: number): void {
  state.room -= size;
  if (state.room < 0) throw new CelError('the rendered value is larger than the limit');
}

/** Whether any string or key of the value has an expression or an escape in it. */
export function isTemplate(value: Json): boolean {
  if (typeof value === 'string') return value.includes('${');
  if (Array.isArray(value)) return value.some((item: Json) => isTemplate(item));
  return isJsonObject(value) && Object.keys(value).some((key) => key.includes('${') || isTemplate(value[key] as Json));
}
