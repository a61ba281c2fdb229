import type { Diagnostic, Severity } from './diagnostic.ts';
import { type Document, type DocumentPath, formatPath } from './document.ts';
import type {
  ChoiceShape,
  FieldShape,
  ListShape,
  MapShape,
  NumberShape,
  ObjectShape,
  Shape,
  ShapeNode,
  StringShape,
  UnionShape,
} from './shape.ts';
import { suggest } from './suggest.ts';
import { setOwn } from './yaml-value.ts';

/** A diagnostic at a path of a document, with its position. */
export function diagnosticAt(
  document: Document,
  path: DocumentPath,
  details: {
    readonly code: string;
    readonly message: string;
    readonly severity?: Severity;
    readonly hint?: string | undefined;
    readonly part?: 'key' | 'value';
  },
): Diagnostic {
  const span = document.locate(path, details.part);
  return {
    code: details.code,
    severity: details.severity ?? 'error',
    message: details.message,
    source: document.source,
    ...(span === undefined ? {} : { span }),
    path: formatPath(path),
    ...(details.hint === undefined ? {} : { hint: details.hint }),
  };
}

export interface ShapeResult<T> {
  /** With defaults filled in and nulls of optional fields dropped; absent when there is an error. */
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a document, or the part of it at `path`, against a shape. Reports everything that does not fit, each at its place. */
export function checkShape<T>(shape: Shape<T>, document: Document, path: DocumentPath = []): ShapeResult<T> {
  let part: unknown = document.value;
  for (const segment of path) part = (part as Record<string | number, unknown>)[segment];
  const sink: Sink = { problems: [], skipped: 0 };
  const value = check(shape, part, path, sink);
  const diagnostics = sink.problems.map((problem) => diagnosticAt(document, problem.path, problem));
  return sink.problems.length > 0 ? { diagnostics } : { value: value as T, diagnostics };
}

/** What does not fit a shape, at a path below the value. */
export interface ShapeProblem {
  readonly path: DocumentPath;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly part?: 'key' | 'value';
}

/**
 * Checks plain data that stands in no document. `skip` says of what is not looked into, as it stands for something else: a field's value, or
 * a key; checks of a whole value ({@link RefinedShape}) are left out where something in it was skipped.
 */
export function checkShapeValue<T>(
  shape: Shape<T>,
  value: unknown,
  options: { readonly skip?: (text: string) => boolean } = {},
): { readonly value?: T; readonly problems: readonly ShapeProblem[] } {
  const sink: Sink = { problems: [], skipped: 0, ...options };
  const checked = check(shape, value, [], sink);
  return sink.problems.length > 0 ? { problems: sink.problems } : { value: checked as T, problems: [] };
}

/** Where problems are gathered. */
interface Sink {
  problems: ShapeProblem[];
  readonly skip?: (text: string) => boolean;
  /** Values and keys that were not looked into. */
  skipped: number;
}

function isSkipped(value: unknown, sink: Sink): boolean {
  if (sink.skip === undefined || typeof value !== 'string' || !sink.skip(value)) return false;
  sink.skipped++;
  return true;
}

type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'list' | 'object';

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    default:
      return 'object';
  }
}

const TYPE_NAMES: Readonly<Record<JsonType, string>> = {
  null: 'nothing',
  boolean: 'a boolean',
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  list: 'a list',
  object: 'an object',
};

/** What to call a shape in "expected ...". */
function nameOf(shape: ShapeNode): string {
  switch (shape.kind) {
    case 'any':
      return 'a value';
    case 'enum':
      return shape.values.length === 1 ? (shape.values[0] as string) : `one of ${shape.values.join(', ')}`;
    case 'map':
    case 'choice':
      return TYPE_NAMES.object;
    case 'union':
      return [...new Set(shape.members.map(nameOf))].join(' or ');
    case 'named':
      return nameOf(shape.shape());
    case 'refined':
      return nameOf(shape.shape);
    default:
      return TYPE_NAMES[shape.kind];
  }
}

function typesOf(shape: ShapeNode): readonly JsonType[] {
  switch (shape.kind) {
    case 'any':
      return ['null', 'boolean', 'integer', 'number', 'string', 'list', 'object'];
    case 'enum':
      return ['string'];
    case 'number':
      return ['integer', 'number'];
    case 'map':
    case 'choice':
      return ['object'];
    case 'union':
      return shape.members.flatMap(typesOf);
    case 'named':
      return typesOf(shape.shape());
    case 'refined':
      return typesOf(shape.shape);
    default:
      return [shape.kind];
  }
}

function wrongType(shape: ShapeNode, value: unknown, path: DocumentPath): ShapeProblem {
  const found = typeOf(value);
  const shown =
    typeof value === 'string' && value.length <= 40
      ? ` ${JSON.stringify(value)}`
      : found === 'integer' || found === 'number' || found === 'boolean'
        ? ` ${String(value)}`
        : '';
  return {
    path,
    code: 'schema-wrong-type',
    message: `expected ${nameOf(shape)}, found ${TYPE_NAMES[found]}${shown.replace(/^ /, ': ')}`,
    hint: conversionHint(shape, found, value),
  };
}

function conversionHint(shape: ShapeNode, found: JsonType, value: unknown): string | undefined {
  const wanted = typesOf(shape);
  if (wanted.includes('string') && (found === 'boolean' || found === 'integer' || found === 'number'))
    return `quote it: "${String(value)}"`;
  if (wanted.includes('list') && !wanted.includes(found)) return `put it into a list: ${listOf(value)}`;
  if (found === 'list' && (value as unknown[]).length === 1) return 'remove the dash: this is not a list';
  if (wanted.includes('boolean') && found === 'string' && /^(true|false)$/i.test(value as string)) return 'remove the quotes';
  if ((wanted.includes('integer') || wanted.includes('number')) && found === 'string' && /^-?[0-9.]+$/.test(value as string))
    return 'remove the quotes';
  return undefined;
}

/** A scalar as the only one of a list, as one would write it; of what is longer, how. */
const listOf = (value: unknown): string =>
  typeof value === 'object' || String(value).length > 40 || /[\s,[\]{}:#&*!|>'"%@`]/.test(String(value))
    ? '`- ` in front of it'
    : `[${String(value)}]`;

/** What templates of other tools look like, where a text is wrong as it stands. */
const templateHint = (text: string): string | undefined =>
  /\{\{.*\}\}|\$\(.*\)|<%.*%>/.test(text) ? 'an expression is written ${...}' : undefined;

function check(shape: ShapeNode, value: unknown, path: DocumentPath, sink: Sink): unknown {
  if (isSkipped(value, sink)) return value;
  switch (shape.kind) {
    case 'any':
      return value;
    case 'named':
      return check(shape.shape(), value, path, sink);
    case 'refined': {
      const before = sink.problems.length;
      const { skipped } = sink;
      const checked = check(shape.shape, value, path, sink);
      if (sink.problems.length === before && sink.skipped === skipped) {
        for (const finding of shape.check(checked as never)) sink.problems.push({ ...finding, path: [...path, ...(finding.path ?? [])] });
      }
      return checked;
    }
    case 'union':
      return checkUnion(shape, value, path, sink);
    default:
  }
  if (!typesOf(shape).includes(typeOf(value))) {
    sink.problems.push(
      value === null || value === undefined
        ? { path, code: 'schema-wrong-type', message: `expected ${nameOf(shape)}, found nothing`, part: 'key' }
        : wrongType(shape, value, path),
    );
    return value;
  }
  switch (shape.kind) {
    case 'string':
      checkString(shape, value as string, path, sink);
      return value;
    case 'integer':
    case 'number':
      checkNumber(shape, value as number | bigint, path, sink);
      return value;
    case 'enum':
      if (!shape.values.includes(value as string)) {
        const meant = suggest(value as string, shape.values);
        sink.problems.push({
          path,
          code: 'schema-not-allowed',
          message: `expected ${nameOf(shape)}, found ${JSON.stringify(value)}`,
          hint: meant === undefined ? undefined : `did you mean ${meant}?`,
        });
      }
      return value;
    case 'list':
      return checkList(shape, value as readonly unknown[], path, sink);
    case 'map':
      return checkMap(shape, value as Record<string, unknown>, path, sink);
    case 'object':
      return checkFields(shape, value as Record<string, unknown>, path, sink);
    case 'choice':
      return checkChoice(shape, value as Record<string, unknown>, path, sink);
    default:
      return value;
  }
}

function checkString(shape: StringShape, value: string, path: DocumentPath, sink: Sink): void {
  if (shape.minLength !== undefined && value.length < shape.minLength) {
    sink.problems.push({
      path,
      code: 'schema-too-short',
      message: value === '' ? 'must not be empty' : `must have at least ${shape.minLength} characters`,
    });
  } else if (shape.maxLength !== undefined && value.length > shape.maxLength) {
    const message = `must have at most ${shape.maxLength} characters, has ${value.length}`;
    sink.problems.push({ path, code: 'schema-too-long', message, hint: templateHint(value) });
  } else if (shape.pattern !== undefined && !shape.pattern.test(value)) {
    const name = shape.patternName ?? `text that matches ${shape.pattern.source}`;
    sink.problems.push({ path, code: 'schema-pattern', message: `expected ${name}, found ${JSON.stringify(value.slice(0, 80))}` });
  }
}

function checkNumber(shape: NumberShape, value: number | bigint, path: DocumentPath, sink: Sink): void {
  const { minimum, maximum } = shape;
  if ((minimum !== undefined && value < minimum) || (maximum !== undefined && value > maximum)) {
    const range =
      minimum === undefined ? `at most ${maximum}` : maximum === undefined ? `at least ${minimum}` : `between ${minimum} and ${maximum}`;
    sink.problems.push({ path, code: 'schema-out-of-range', message: `must be ${range}, is ${value}` });
  }
}

function checkList(shape: ListShape, value: readonly unknown[], path: DocumentPath, sink: Sink): unknown[] {
  if (shape.minItems !== undefined && value.length < shape.minItems) {
    sink.problems.push({
      path,
      code: 'schema-too-few-items',
      message: `must have at least ${shape.minItems} ${shape.minItems === 1 ? 'item' : 'items'}`,
    });
  }
  if (shape.maxItems !== undefined && value.length > shape.maxItems) {
    sink.problems.push({ path, code: 'schema-too-many-items', message: `must have at most ${shape.maxItems} items, has ${value.length}` });
  }
  const isFine = fineTextTest(shape.item, sink);
  return value.map((item, i) => (isFine(item) ? item : check(shape.item, item, [...path, i], sink)));
}

/** Long lists are of texts, as a rule: of those that are right no more need be known, such as where they stand. */
function fineTextTest(shape: ShapeNode, { skip }: Sink): (value: unknown) => boolean {
  if (shape.kind !== 'string' || skip !== undefined || shape.pattern !== undefined) return () => false;
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = shape;
  return (value) => typeof value === 'string' && value.length >= minLength && value.length <= maxLength;
}

function checkMap(shape: MapShape, value: Record<string, unknown>, path: DocumentPath, sink: Sink): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (shape.key !== undefined && !isSkipped(key, sink)) {
      const before = sink.problems.length;
      checkString(shape.key, key, [...path, key], sink);
      for (let i = before; i < sink.problems.length; i++) sink.problems[i] = { ...(sink.problems[i] as ShapeProblem), part: 'key' };
    }
    setOwn(result, key, check(shape.value, item, [...path, key], sink));
  }
  return result;
}

function checkFields(
  { fields, open = false, elsewhere = {} }: Pick<ObjectShape, 'fields' | 'open' | 'elsewhere'>,
  value: Record<string, unknown>,
  path: DocumentPath,
  sink: Sink,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(fields, key)) {
      const field = fields[key] as FieldShape;
      const isOptional = field.kind === 'optional';
      if (item === null && isOptional) continue;
      const shape = isOptional ? field.shape : field;
      // Null where something must stand is reported as missing, below.
      if (item === null && !typesOf(shape).includes('null')) continue;
      setOwn(result, key, check(shape, item, [...path, key], sink));
    } else if (open || isSkipped(key, sink)) setOwn(result, key, item);
    else {
      const meant = Object.hasOwn(elsewhere, key) ? elsewhere[key] : suggest(key, Object.keys(fields));
      const names = Object.keys(fields);
      sink.problems.push({
        path: [...path, key],
        part: 'key',
        code: 'schema-unknown-field',
        message: `unknown field ${JSON.stringify(key)}`,
        hint: meant !== undefined ? `did you mean ${meant}?` : names.length <= 12 ? `known fields: ${names.join(', ')}` : undefined,
      });
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    if (Object.hasOwn(result, key)) continue;
    if (field.kind === 'optional') {
      if (field.default !== undefined) setOwn(result, key, field.default);
    } else if (Object.hasOwn(value, key)) {
      sink.problems.push({
        path: [...path, key],
        part: 'key',
        code: 'schema-missing-field',
        message: `field ${key} has no value`,
        hint: `expected ${nameOf(field)}`,
      });
    } else if (field.kind !== 'any') {
      sink.problems.push({
        path,
        part: 'key',
        code: 'schema-missing-field',
        message: `missing field ${key}`,
        hint: field.doc ?? `expected ${nameOf(field)}`,
      });
    }
  }
  return result;
}

function checkChoice(shape: ChoiceShape, value: Record<string, unknown>, path: DocumentPath, sink: Sink): unknown {
  const names = Object.keys(shape.variants);
  const present = names.filter((name) => Object.hasOwn(value, name) && value[name] !== null);
  const fields: Record<string, FieldShape> = { ...shape.shared };
  for (const name of names) fields[name] = { kind: 'optional', shape: shape.variants[name] as ShapeNode };
  const before = sink.problems.length;
  const result = checkFields({ fields, ...(shape.elsewhere && { elsewhere: shape.elsewhere }) }, value, path, sink);
  const [first, second] = present;
  if (first === undefined) {
    // A misspelt variant was reported already, and says all there is to say.
    if (sink.problems.length === before)
      sink.problems.push({ path, part: 'key', code: 'schema-choice', message: `expected exactly one of ${names.join(', ')}, found none` });
  } else if (second !== undefined) {
    sink.problems.push({
      path: [...path, second],
      part: 'key',
      code: 'schema-choice',
      message: `expected exactly one of ${names.join(', ')}, found ${present.join(' and ')}`,
    });
  }
  return result;
}

function checkUnion(shape: UnionShape, value: unknown, path: DocumentPath, sink: Sink): unknown {
  const type = typeOf(value);
  const candidates = shape.members.filter((member) => typesOf(member).includes(type));
  if (candidates.length === 0) {
    sink.problems.push(wrongType(shape, value, path));
    return value;
  }
  let best: ShapeProblem[] | undefined;
  for (const candidate of candidates) {
    const own: Sink = { ...sink, problems: [] };
    const result = check(candidate, value, path, own);
    sink.skipped = Math.max(sink.skipped, own.skipped);
    if (own.problems.length === 0) return result;
    if (best === undefined || own.problems.length < best.length) best = own.problems;
  }
  sink.problems.push(...(best ?? []));
  return value;
}
