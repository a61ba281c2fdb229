import { BOOL, type CelType, DYN, INT } from '../../cel/types.ts';
import type { Json, JsonObject } from '../../object/json.ts';
import { type JsonPath, parsePath } from '../../object/path.ts';
import { compileSetter } from '../../object/path-set.ts';
import { compileTemplate, type Template } from '../../object/template.ts';
import type { DocumentPath } from '../../text/document.ts';
import type { Reporter } from '../reporter.ts';
import type { CompileContext } from './compile-context.ts';
import type { PatchOperationDocument, RuleMutationDocument } from './document.ts';
import type { ExpressionCompiler } from './expressions.ts';
import type { MutationStep } from './mutation.ts';
import type { TemplatePlace } from './pod-template.ts';
import type { Expression } from './policy.ts';
import { type PatchTemplate, type RuleChange, ruleMutationStep } from './rule-mutations.ts';

/** Checks and lowers `mutations` of an AdmissionRule; with a place, for the pod template of a controller. */
export function lowerRuleMutations(
  report: Reporter,
  path: DocumentPath,
  documents: readonly RuleMutationDocument[] | undefined,
  expressions: ExpressionCompiler,
  context: CompileContext,
  place?: TemplatePlace,
): MutationStep[] {
  const steps: MutationStep[] = [];
  for (const [index, document] of (documents ?? []).entries()) {
    const at = [...path, index];
    const forms = (['apply', 'patch', 'set'] as const).filter((form) => document[form] !== undefined);
    if (forms.length !== 1) {
      const message = forms.length === 0 ? 'the mutation says nothing' : `the mutation has ${forms.join(' and ')}`;
      report.error(at, 'admission-mutation-form', `${message}: expected exactly one of apply, patch, set`);
      continue;
    }
    const lowering = new MutationLowering(report, expressions, document, place);
    const step = lowering.lower(at, index, context);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

class MutationLowering {
  readonly #report: Reporter;
  readonly #expressions: ExpressionCompiler;
  readonly #document: RuleMutationDocument;
  readonly #place: TemplatePlace | undefined;
  #locals: Readonly<Record<string, CelType>> | undefined;

  constructor(report: Reporter, expressions: ExpressionCompiler, document: RuleMutationDocument, place: TemplatePlace | undefined) {
    this.#report = report;
    this.#expressions = expressions;
    this.#document = document;
    this.#place = place;
  }

  lower(path: DocumentPath, index: number, context: CompileContext): MutationStep | undefined {
    const document = this.#document;
    const forEach = document.forEach === undefined ? undefined : this.#forEach([...path, 'forEach'], document.forEach);
    const when = document.when === undefined ? undefined : this.#expression([...path, 'when'], document.when, [BOOL, DYN]);
    const change = this.#change(path);
    if (change === undefined) return undefined;
    if ((document.forEach !== undefined && forEach === undefined) || (document.when !== undefined && when === undefined)) return undefined;
    return ruleMutationStep({ index, when, forEach, change, types: context.types });
  }

  #expression(path: DocumentPath, text: string, resultTypes: readonly CelType[]): Expression | undefined {
    return this.#expressions.compile(path, text, this.#scope(), { resultTypes });
  }

  #scope() {
    return { authorizer: true, variables: true, ...(this.#locals === undefined ? {} : { locals: this.#locals }) };
  }

  #forEach(path: DocumentPath, text: string): Expression | undefined {
    const expression = this.#expressions.compile(path, text, this.#scope());
    const type = expression?.program.ast.resultType;
    if (type !== undefined && type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'dyn') {
      this.#report.error(path, 'admission-for-each', `forEach needs a list or a map, found ${type.kind}`);
    }
    const item = type?.kind === 'list' ? type.element : type?.kind === 'map' ? type.value : DYN;
    const key = type?.kind === 'map' ? { key: type.key } : type?.kind === 'dyn' || type === undefined ? { key: DYN } : {};
    this.#locals = { item, index: INT, ...key };
    return expression;
  }

  #change(path: DocumentPath): RuleChange | undefined {
    const { apply, patch, set } = this.#document;
    if (apply !== undefined) {
      const template = this.#template([...path, 'apply'], apply as JsonObject);
      return template && { kind: 'apply', template: inPlace(template, this.#place) };
    }
    if (patch !== undefined) {
      const operations = patch.map((operation, index) => this.#operation([...path, 'patch', index], operation));
      return operations.every((operation) => operation !== undefined) ? { kind: 'patch', operations } : undefined;
    }
    const parsed = parsePath(set!.path);
    if (!parsed.ok) {
      const { code, message, hint, start, end } = parsed.issue;
      this.#report.issue([...path, 'set', 'path'], {
        code,
        severity: 'error',
        message,
        start,
        end,
        at: start,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    const value = this.#template([...path, 'set', 'value'], set!.value as Json);
    if (!parsed.ok || value === undefined) return undefined;
    const target = this.#place === undefined ? parsed.path : pathInPlace(parsed.path, this.#place);
    return { kind: 'set', setter: compileSetter(target, { unlessSet: set!.unlessSet ?? false }), value };
  }

  #operation(path: DocumentPath, operation: PatchOperationDocument): PatchTemplate | undefined {
    const needsValue = operation.op === 'add' || operation.op === 'replace' || operation.op === 'test';
    if (needsValue && operation.value === undefined && !Object.hasOwn(operation, 'value')) {
      this.#report.error([...path, 'value'], 'admission-required', `Required value: ${operation.op} needs a value`);
    }
    const needsFrom = operation.op === 'move' || operation.op === 'copy';
    if (needsFrom && operation.from === undefined) {
      this.#report.error([...path, 'from'], 'admission-required', `Required value: ${operation.op} needs from`);
    }
    for (const field of ['path', 'from'] as const) {
      const pointer = operation[field];
      if (pointer !== undefined && pointer !== '' && !pointer.startsWith('/') && !pointer.startsWith('${')) {
        const hint = `write /${pointer.replace(/^\$?\./, '').replaceAll('.', '/')}`;
        this.#report.error(
          [...path, field],
          'admission-invalid',
          `expected a JSON pointer, which begins with /, found ${JSON.stringify(pointer)}`,
          hint,
        );
      }
    }
    const pointer = this.#template([...path, 'path'], pointerInPlace(operation.path, this.#place));
    const from = operation.from === undefined ? undefined : this.#template([...path, 'from'], pointerInPlace(operation.from, this.#place));
    const value = needsValue ? this.#template([...path, 'value'], (operation.value ?? null) as Json) : undefined;
    if (pointer === undefined || (operation.from !== undefined && from === undefined) || (needsValue && value === undefined))
      return undefined;
    return { op: operation.op, path: pointer, from, value };
  }

  #template(path: DocumentPath, value: Json): Template<Expression> | undefined {
    const compiled = compileTemplate(value, (expression) =>
      this.#expressions.compile([...path, ...expression.path], expression.text, { ...this.#scope(), offset: expression.offset }),
    );
    for (const { code, message, hint, path: below, start, end } of compiled.issues) {
      this.#report.issue([...path, ...below], { code, severity: 'error', message, hint, start, end, at: start });
    }
    return compiled.template;
  }
}

/** An `apply` about a pod becomes one about the template: its metadata and spec move there. */
function inPlace(template: Template<Expression>, place: TemplatePlace | undefined): Template<Expression> {
  if (place === undefined) return template;
  return {
    expressions: template.expressions,
    render(evaluate, options) {
      const rendered = template.render(evaluate, options) as JsonObject | undefined;
      if (rendered === undefined) return undefined;
      const { metadata, spec } = rendered;
      const inner: Record<string, Json> = {};
      if (metadata !== undefined) inner['metadata'] = metadata;
      if (spec !== undefined) inner['spec'] = spec;
      return place.template.reduceRight<JsonObject>((value, field) => ({ [field]: value }), inner);
    },
  };
}

/** `/spec/...` and `/metadata/...` of a pod, in the template. */
function pointerInPlace(pointer: string, place: TemplatePlace | undefined): string {
  if (place === undefined || !/^\/(spec|metadata)(\/|$)/.test(pointer)) return pointer;
  return `/${place.template.join('/')}${pointer}`;
}

function pathInPlace(path: JsonPath, place: TemplatePlace): JsonPath {
  const [first] = path.steps;
  if (first?.kind !== 'key' || (first.key !== 'spec' && first.key !== 'metadata')) return path;
  const prefix = place.template.map((key) => ({ kind: 'key' as const, key, start: first.start, end: first.start }));
  return { text: path.text, steps: [...prefix, ...path.steps] };
}
