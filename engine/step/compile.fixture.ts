import { createEnvironment } from '../cel/create-environment.ts';
import type { Program } from '../cel/program.ts';
import { type CelType, DYN, INT, listOf, mapOf, STRING } from '../cel/types.ts';
import type { CelValue } from '../cel/values.ts';
import type { JsonObject } from '../object/json.ts';
import type { Diagnostic } from '../text/diagnostic.ts';
import type { DocumentPath } from '../text/document.ts';
import { renderDiagnostic } from '../text/render.ts';
import { boolean, defaulted, integer, list, map, object, oneOf, optional, string } from '../text/shape.ts';
import { diagnosticAt } from '../text/shape-check.ts';
import { parseYaml } from '../text/yaml.ts';
import { type CompiledStep, compileSteps } from './compile.ts';
import type { Steps } from './effect.ts';
import type { Operation } from './operation.ts';
import { BindError, type BoundStep } from './plan.ts';
import { readStep } from './read-step.ts';
import { StepOutputTypes } from './step-outputs.ts';
import type { StepReport } from './step-source.ts';
import { walkSteps } from './walk.ts';

// biome-ignore lint/correctness/useYield: it asks for nothing.
function* ended<T>(value: T): Steps<T> {
  return value;
}

/** An operation that does nothing. */
function operation(name: string, details: Pick<Operation, 'arguments'> & Partial<Operation>): Operation {
  return {
    name,
    group: 'network',
    doc: name,
    outputs: {},
    lifetime: 'owned',
    requires: () => [],
    lockKeys: () => [],
    ensure: () => ended({}),
    check: () => ended([]),
    *undo() {},
    predict: () => ({}),
    describe: () => name,
    ...details,
  };
}

/** A link with a name and some more, and a pair of other words. */
const FAKE_OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  [
    operation('link', {
      arguments: object({
        name: string({ maxLength: 15 }),
        mtu: optional(integer({ minimum: 0, maximum: 9000 })),
        up: defaulted(boolean(), true),
        mode: optional(oneOf('bridge', 'private')),
        addresses: defaulted(list(string()), []),
        host: optional(object({ master: optional(string()), vlan: optional(integer()) })),
        labels: optional(map(string())),
      }) as Operation['arguments'],
      outputs: { name: STRING, index: INT },
      validate: (args) =>
        (args['addresses'] as readonly string[]).flatMap((text, index) =>
          text.includes('/')
            ? []
            : [{ path: ['addresses', index], message: `${JSON.stringify(text)} has no prefix length`, hint: 'as 10.1.0.1/16' }],
        ),
    }),
    operation('route', { arguments: object({ to: string(), when: optional(string()) }) as Operation['arguments'] }),
  ].map((each) => [each.name, each]),
);

interface Expression {
  readonly path: DocumentPath;
  readonly text: string;
  readonly program: Program;
}

/** Steps of a text, compiled with variables `config` (dyn), `ports` (list of ints) and `names` (map of strings). */
export function compileText(text: string): {
  readonly steps: readonly CompiledStep<Expression>[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
} {
  const [document] = parseYaml({ name: 'steps.yaml', text }).documents;
  const diagnostics: Diagnostic[] = [];
  const report: StepReport = {
    document: document!,
    add: (diagnostic) => void diagnostics.push(diagnostic),
    error: (path, code, message, hint) => void diagnostics.push(diagnosticAt(document!, path, { code, message, hint })),
    issue(path, { code, severity, message, start, end, hint }, { offset = 0 } = {}) {
      const at = document!.locateWithin(path, offset + start) ?? 0;
      const span = { start: at, end: document!.locateWithin(path, offset + end) ?? at + 1 };
      diagnostics.push({ code: `cel-${code}`, severity, message, source: document!.source, span, ...(hint === undefined ? {} : { hint }) });
    },
  };
  const outputs = new StepOutputTypes('test.steps');
  const environment = createEnvironment({
    homogeneousLiterals: false,
    variables: { config: DYN, ports: listOf(INT), names: mapOf(STRING, STRING) },
    types: outputs,
  });
  const values = document!.value as readonly unknown[];
  const sources = values.flatMap((value, index) => readStep(report, [index], value, FAKE_OPERATIONS) ?? []);
  const steps = compileSteps<Expression>(sources, {
    report,
    outputs,
    compile({ path, text: expression, offset }, locals, resultTypes) {
      const compiled = environment
        .extend({ variables: locals as Record<string, CelType> })
        .compile(expression, resultTypes === undefined ? {} : { resultTypes });
      for (const issue of compiled.issues) report.issue(path, issue, offset === undefined ? {} : { offset });
      return compiled.ok ? { path, text: expression, program: compiled.program } : undefined;
    },
  });
  return { steps: diagnostics.length > 0 ? undefined : steps, diagnostics };
}

/** What is wrong with steps, as people see it. */
export function picturesOf(text: string): string {
  return compileText(text)
    .diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))
    .join('\n');
}

/** Binds all steps; `answers` has what they end with, by key. A step that can't be bound is the last, as the error. */
export function bindAll(
  text: string,
  variables: Readonly<Record<string, CelValue>> = {},
  answers: Readonly<Record<string, JsonObject>> = {},
): readonly (BoundStep | BindError)[] {
  const { steps, diagnostics } = compileText(text);
  if (steps === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const walk = walkSteps(steps, {
    evaluate({ program }, locals) {
      const { outcome } = program.trace(Object.assign(Object.create(null), variables, locals));
      if (outcome.ok) return outcome.value;
      throw outcome.error;
    },
  });
  const bound: (BoundStep | BindError)[] = [];
  try {
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      bound.push(step);
      walk.done(answers[step.key] ?? {});
    }
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    bound.push(error);
  }
  return bound;
}
