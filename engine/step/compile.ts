import { identifierHint, isCelField } from '../cel/identifier.ts';
import { BOOL, type CelType, DYN, INT } from '../cel/types.ts';
import type { CelValue } from '../cel/values.ts';
import { loopTypes } from '../object/for-each.ts';
import { type Json, valueAt } from '../object/json.ts';
import { type DocumentPath, lineOf } from '../text/document.ts';
import { diagnosticAt } from '../text/shape-check.ts';
import type { Operation } from './operation.ts';
import { compileArguments, type StepArguments } from './step-arguments.ts';
import type { StepOutputTypes } from './step-outputs.ts';
import type { StepExpressionSource, StepReport, StepSource } from './step-source.ts';

/** What expressions are compiled to: by whoever has the variables. */
export interface StepExpression {
  readonly path: DocumentPath;
  readonly text: string;
  readonly program: { readonly ast: { readonly resultType: CelType } };
}

export interface StepCompilerContext<E extends StepExpression> {
  readonly report: StepReport;
  /** The type of `steps`, which the types of `compile`'s environment know. */
  readonly outputs: StepOutputTypes;
  /** Names that are there for all of these steps beside those of the environment. */
  readonly locals?: Readonly<Record<string, CelType>>;
  /** Reports what is wrong, and then answers undefined. */
  compile(source: StepExpressionSource, locals: Readonly<Record<string, CelType>>, resultTypes?: readonly CelType[]): E | undefined;
}

/** A step ready to be bound. */
export interface CompiledStep<E> {
  /** Its id, or its operation with a number; unique among the steps. */
  readonly key: string;
  /** Field of `steps` that has its outputs. */
  readonly id: string | undefined;
  readonly operation: Operation;
  readonly path: DocumentPath;
  readonly line: number | undefined;
  readonly timeout: number;
  readonly when: E | undefined;
  readonly forEach: E | undefined;
  readonly arguments: StepArguments<E>;
}

/** Values of names that are not the environment's: `steps`, `item`... */
export type StepLocals = Readonly<Record<string, CelValue>>;

/** Compiles steps in their order. Reports everything that is wrong; undefined when something is. */
export function compileSteps<E extends StepExpression>(
  sources: readonly StepSource[],
  context: StepCompilerContext<E>,
): readonly CompiledStep<E>[] | undefined {
  const { report, outputs } = context;
  const ids = uniqueIds(report, sources);
  outputs.announce(ids);
  const numbers = new Map<string, number>();
  const steps: CompiledStep<E>[] = [];
  for (const source of sources) {
    const { operation } = source;
    const step = compileStep(source, context);
    const number = (numbers.get(operation.name) ?? 0) + 1;
    if (source.id === undefined) numbers.set(operation.name, number);
    const id = source.id?.text;
    if (id !== undefined) outputs.declare(id, operation, source.forEach !== undefined);
    if (step !== undefined) steps.push({ ...step, id, key: id ?? `${operation.name}-${number}` });
  }
  warnOfLateLinks(report, sources);
  return steps.length === sources.length && ids.size === sources.filter(({ id }) => id !== undefined).length ? steps : undefined;
}

/**
 * Warns of a step that uses an interface which a later one makes, by what is written: on a host where it is not there yet, it fails. No
 * error, as somebody else may have made it.
 */
function warnOfLateLinks(report: StepReport, sources: readonly StepSource[]): void {
  const written = ({ arguments: { value } }: StepSource, path: readonly string[] | undefined): Json | undefined =>
    path === undefined ? undefined : valueAt(value, path);
  for (const [index, source] of sources.entries()) {
    const needed = written(source, source.operation.needsLink);
    if (typeof needed !== 'string' || source.forEach !== undefined) continue;
    const makes = (other: StepSource): boolean => written(other, other.operation.makesLink) === needed;
    const later = sources.slice(index + 1).find(makes);
    if (later === undefined || sources.slice(0, index).some(makes)) continue;
    const path = [...source.arguments.path, ...source.operation.needsLink!];
    const line = lineOf(report.document, later.path);
    const message = `${needed} is made by a later step${line === undefined ? '' : `, on line ${line}`}`;
    report.add(diagnosticAt(report.document, path, { code: 'step-order', severity: 'warning', message, hint: 'move that one up' }));
  }
}

function uniqueIds(report: StepReport, sources: readonly StepSource[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { id } of sources) {
    if (id === undefined) continue;
    if (!isCelField(id.text)) {
      const hint = identifierHint(id.text, 'step');
      report.error(id.path, 'step-id', `the id ${JSON.stringify(id.text)} can't be used in expressions`, hint);
    } else if (ids.has(id.text)) report.error(id.path, 'step-duplicate', `there is another step with the id ${id.text}`);
    ids.add(id.text);
  }
  return ids;
}

function compileStep<E extends StepExpression>(
  source: StepSource,
  context: StepCompilerContext<E>,
): Omit<CompiledStep<E>, 'id' | 'key'> | undefined {
  const { report, outputs } = context;
  const compile = (text: StepExpressionSource, locals: Readonly<Record<string, CelType>>, types?: readonly CelType[]): E | undefined => {
    outputs.early.clear();
    const expression = context.compile(text, { ...context.locals, steps: outputs.type, ...locals }, types);
    for (const id of outputs.early) {
      if (id === source.id?.text) report.error(text.path, 'step-order', `the step ${id} refers to itself`);
      else report.error(text.path, 'step-order', `the step ${id} stands after this one, and has no outputs yet`, 'move it up');
    }
    return outputs.early.size > 0 ? undefined : expression;
  };
  const when = source.when && compile(source.when, {}, [BOOL, DYN]);
  const forEach = source.forEach && compile(source.forEach, {});
  const loop = forEach && loopLocals(report, source.forEach!, forEach.program.ast.resultType);
  const args = compileArguments(
    report,
    source,
    (text) => compile(text, loop ?? (source.forEach === undefined ? {} : { item: DYN, index: INT, key: DYN })),
    ({ program }) => program.ast.resultType,
  );
  if (args === undefined || (source.when && !when) || (source.forEach && !loop)) return undefined;
  const { path, operation, timeout } = source;
  return { operation, path, line: lineOf(report.document, path), timeout, when, forEach, arguments: args };
}

function loopLocals(report: StepReport, source: StepExpressionSource, type: CelType): Record<string, CelType> | undefined {
  const types = loopTypes(type);
  if (types === undefined) {
    report.error(source.path, 'step-for-each', `forEach needs a list or a map, found ${type.kind}`);
    return undefined;
  }
  const isList = type.kind === 'list';
  const isMap = type.kind === 'map' || type.kind === 'object';
  return { item: types.item, ...(isMap ? {} : { index: INT }), ...(isList ? {} : { key: types.key ?? DYN }) };
}
