import type { CelType } from '../cel/types.ts';
import { formatType } from '../cel/types.ts';
import { CelError, type CelValue } from '../cel/values.ts';
import { schemaAt, textProblem, typeProblem } from '../object/expression-place.ts';
import { isJsonObject, type Json, type JsonObject, ownValue, setOwn, valueAt } from '../object/json.ts';
import { schemaOfShape } from '../object/shape-schema.ts';
import { compileTemplate, reportTemplateIssues, type TemplateExpression } from '../object/template.ts';
import { hasExpression, mayHaveExpression } from '../object/template-text.ts';
import type { DocumentPath } from '../text/document.ts';
import { checkShapeValue, diagnosticAt } from '../text/shape-check.ts';
import type { Operation } from './operation.ts';
import type { StepExpressionSource, StepReport, StepSource } from './step-source.ts';

/** Characters of JSON that the arguments of one step may have where its operation does not say. */
const MAX_ARGUMENTS_SIZE = 256 * 1024;

/** The arguments of a step, before their expressions have values. */
export interface StepArguments<E> {
  /** With defaults filled in, and expressions as they are written. */
  readonly written: JsonObject;
  /** No expression stands anywhere. */
  readonly isConstant: boolean;
  /** The arguments, with defaults filled in. Throws {@link ArgumentError}, and what `evaluate` throws that is no {@link CelError}. */
  bind(evaluate: (expression: E) => CelValue): JsonObject;
}

/** Arguments that do not fit, or an expression that failed; the path is one of the document. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
  readonly path: DocumentPath;
  constructor(message: string, path: DocumentPath) {
    super(message);
    this.path = path;
  }
}

/**
 * Compiles arguments, and checks what is known of them at load: literal parts against the operation's shape and its own check, expressions by
 * their type. Reports what is wrong; then there are none.
 */
export function compileArguments<E extends { readonly path: DocumentPath; readonly text: string }>(
  report: StepReport,
  { operation, arguments: source }: StepSource,
  compile: (source: StepExpressionSource) => E | undefined,
  typeOf: (expression: E) => CelType,
): StepArguments<E> | undefined {
  const literal = checkShapeValue<JsonObject>(operation.arguments, source.value, { skip: mayHaveExpression });
  for (const { code, path, part, message, hint } of literal.problems) {
    const where = `${message} (in ${operation.name})`;
    report.add(
      diagnosticAt(report.document, [...source.path, ...path], { code, message: where, hint, ...(part === undefined ? {} : { part }) }),
    );
  }
  const schema = schemaOfShape(operation.arguments);
  const compiled = compileTemplate(source.value, (place) => {
    const at = [...source.path, ...place.path];
    const expression = compile({ path: at, text: place.text, offset: place.offset });
    if (expression === undefined || place.part === 'key') return expression;
    const target = schemaAt(schema, place.path);
    const found = place.use === 'text' ? 'text' : formatType(typeOf(expression));
    const problem = target && (place.use === 'text' ? textProblem(target) : typeProblem(typeOf(expression), target));
    if (problem !== undefined)
      reportType(report, at, place, `expected ${problem.expected}, found ${found} (in ${operation.name})`, problem.hint);
    return expression;
  });
  reportTemplateIssues(report, source.path, compiled.issues);
  const known = withoutExpressions(source.value) as JsonObject;
  if (literal.problems.length === 0) checkKnown(report, operation, source, known);
  const { template } = compiled;
  if (template === undefined || literal.problems.length > 0) return undefined;
  return {
    written: literal.value!,
    isConstant: template.expressions.length === 0,
    bind: (evaluate) =>
      bindArguments(
        operation,
        source,
        (run) => template.render(run, { maxSize: operation.maxArgumentsSize ?? MAX_ARGUMENTS_SIZE }),
        evaluate,
      ),
  };
}

function reportType(report: StepReport, path: DocumentPath, place: TemplateExpression, message: string, hint: string | undefined): void {
  const issue = { code: 'template-type', severity: 'error', message, start: 0, end: place.text.length, at: 0 } as const;
  report.issue(path, hint === undefined ? issue : { ...issue, hint }, { offset: place.offset });
}

/** The operation's own check of what is written out. Only what it says of a value that stands there counts: others may come from expressions. */
function checkKnown(report: StepReport, operation: Operation, source: StepSource['arguments'], known: JsonObject): void {
  if (operation.validate === undefined) return;
  const checked = checkShapeValue<JsonObject>(operation.arguments, known);
  if (checked.value === undefined) return;
  const constant = known === source.value;
  for (const { path, message, hint } of operation.validate(checked.value)) {
    if (!constant && !isScalar(valueAt(source.value, path))) continue;
    report.error([...source.path, ...path], 'step-argument', `${message} (in ${operation.name})`, hint);
  }
}

function bindArguments<E extends { readonly path: DocumentPath; readonly text: string }>(
  operation: Operation,
  source: StepSource['arguments'],
  render: (evaluate: (expression: E) => CelValue) => Json | undefined,
  evaluate: (expression: E) => CelValue,
): JsonObject {
  const rendered = orArgumentError(
    () =>
      render((expression) =>
        orArgumentError(
          () => evaluate(expression),
          expression.path,
          (message) => `${message} (in ${excerpt(expression.text)})`,
        ),
      ),
    source.path,
    (message) => message,
  );
  const { value, problems } = checkShapeValue<JsonObject>(operation.arguments, rendered);
  const [first] = value === undefined ? problems : (operation.validate?.(value) ?? []);
  if (first !== undefined) {
    const field = first.path.length === 0 ? '' : `${first.path.join('.')}: `;
    throw new ArgumentError(`${field}${first.message}${origin(source.value, first.path)}`, [...source.path, ...first.path]);
  }
  return value as JsonObject;
}

function orArgumentError<T>(run: () => T, path: DocumentPath, message: (text: string) => string): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CelError) throw new ArgumentError(message(error.message), path);
    throw error;
  }
}

/** The expression that gave what stands at a path of the rendered arguments, or something around it. */
function origin(root: JsonObject, path: DocumentPath): string {
  let value: Json | undefined = root;
  for (const segment of path) {
    if (Array.isArray(value)) value = value[Number(segment)];
    else if (isJsonObject(value)) value = ownValue(value, String(segment));
    else break;
  }
  return typeof value === 'string' && hasExpression(value) ? ` (from ${excerpt(value)})` : '';
}

/** An expression in one line, cut where it is long, for messages. */
export function excerpt(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

const isScalar = (value: Json | undefined): boolean =>
  value !== undefined && value !== null && typeof value !== 'object' && !(typeof value === 'string' && hasExpression(value));

/** The value without what stands for something else; a list with such an element is left out as a whole, as positions would move. The same value where there is nothing to leave out. */
function withoutExpressions(value: Json): Json | undefined {
  if (typeof value === 'string') return mayHaveExpression(value) ? undefined : value;
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => withoutExpressions(item));
    if (items.some((item) => item === undefined)) return undefined;
    return items.every((item, index) => item === value[index]) ? value : (items as Json[]);
  }
  if (!isJsonObject(value)) return value;
  const known: { [key: string]: Json } = {};
  let changed = false;
  for (const [key, child] of Object.entries(value)) {
    const kept = hasExpression(key) ? undefined : withoutExpressions(child);
    if (kept !== undefined) setOwn(known, key, kept);
    changed ||= kept !== child;
  }
  return changed ? known : value;
}
