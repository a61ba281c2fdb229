import type { Json } from '../../object/json.ts';
import { parsePath } from '../../object/path.ts';
import type { Schema } from '../../object/schema.ts';
import { checkSchema } from '../../object/schema-check.ts';
import { splitTemplateText } from '../../object/template-text.ts';
import type { DocumentPath } from '../../text/document.ts';
import { diagnosticAt } from '../../text/shape-check.ts';
import { suggest } from '../../text/suggest.ts';
import type { Reporter } from '../reporter.ts';
import type { RuleMutationDocument } from './document.ts';

/**
 * Checks what mutations write against the schema of a kind: fields of `apply`, steps of the paths of `set` and `patch`, and the
 * values that no template stands for. What a template yields is known only when a request is decided.
 */
export function checkMutationTypes(
  report: Reporter,
  path: DocumentPath,
  mutations: readonly RuleMutationDocument[],
  schema: Schema,
  kind: string,
): void {
  const check = new MutationCheck(report, kind);
  for (const [index, { apply, patch, set }] of mutations.entries()) {
    const at = [...path, index];
    if (apply !== undefined) check.value([...at, 'apply'], apply as Json, schema);
    if (set !== undefined) check.set([...at, 'set'], set, schema);
    for (const [position, operation] of (patch ?? []).entries()) check.operation([...at, 'patch', position], operation, schema);
  }
}

/** One step of a path or pointer: a name or index as written, or something that is known only later. */
interface Step {
  readonly name: string | undefined;
  readonly start: number;
  readonly end: number;
}

const hasTemplate = (text: string): boolean => splitTemplateText(text).pieces.some(({ kind }) => kind === 'expression');

class MutationCheck {
  readonly #report: Reporter;
  readonly #kind: string;

  constructor(report: Reporter, kind: string) {
    this.#report = report;
    this.#kind = kind;
  }

  set(path: DocumentPath, set: NonNullable<RuleMutationDocument['set']>, schema: Schema): void {
    const parsed = parsePath(set.path);
    // What is wrong with the path itself has been said.
    if (!parsed.ok) return;
    const steps = parsed.path.steps.map((step): Step => {
      const { start, end } = step;
      return { name: step.kind === 'key' ? step.key : undefined, start, end };
    });
    const target = this.#walk([...path, 'path'], steps, schema);
    if (target !== undefined) this.value([...path, 'value'], set.value as Json, target);
  }

  operation(path: DocumentPath, operation: NonNullable<RuleMutationDocument['patch']>[number], schema: Schema): void {
    const target = this.#walk([...path, 'path'], pointerSteps(operation.path), schema);
    if (operation.from !== undefined) this.#walk([...path, 'from'], pointerSteps(operation.from), schema);
    const writes = operation.op === 'add' || operation.op === 'replace';
    if (target !== undefined && writes) this.value([...path, 'value'], operation.value as Json, target);
  }

  value(path: DocumentPath, value: Json | undefined, schema: Schema): void {
    if (value === undefined) return;
    const skip = (each: Json) => typeof each === 'string' && hasTemplate(each);
    for (const { code, path: below, part, message, hint } of checkSchema(value, schema, { skip, required: false })) {
      if (below.some((segment) => typeof segment === 'string' && hasTemplate(segment))) continue;
      const details = { code, part, hint, message: `${message} (in ${this.#kind})` };
      this.#report.add(diagnosticAt(this.#report.document, [...path, ...below], details));
    }
  }

  /** The schema where the steps lead; undefined where that is not known, or a step is wrong, which is reported. */
  #walk(path: DocumentPath, steps: readonly Step[], root: Schema): Schema | undefined {
    let schema: Schema = root;
    for (const step of steps) {
      if (schema.kind === 'any') return undefined;
      if (schema.kind === 'list') schema = schema.items;
      else if (schema.kind !== 'map') {
        this.#wrongStep(path, step, `there is nothing below a ${schema.kind}`, undefined);
        return undefined;
      } else {
        // A wildcard or a template may name any field.
        if (step.name === undefined) {
          if (schema.rest === undefined) return undefined;
          schema = schema.rest;
          continue;
        }
        const field: Schema | undefined = schema.fields.get(step.name)?.schema ?? schema.rest;
        if (field === undefined) {
          const near = suggest(step.name, schema.fields.keys());
          this.#wrongStep(path, step, `unknown field ${JSON.stringify(step.name)}`, near && `did you mean ${JSON.stringify(near)}?`);
          return undefined;
        }
        schema = field;
      }
    }
    return schema;
  }

  #wrongStep(path: DocumentPath, { start, end }: Step, message: string, hint: string | undefined): void {
    const { document } = this.#report;
    const from = document.locateWithin(path, start);
    const to = document.locateWithin(path, end);
    const diagnostic = diagnosticAt(document, path, { code: 'schema-unknown-field', message: `${message} (in ${this.#kind})`, hint });
    this.#report.add(from === undefined || to === undefined ? diagnostic : { ...diagnostic, span: { start: from, end: to } });
  }
}

/** Stands for a character of an expression; no pointer holds it otherwise. */
const HIDDEN = '\0';

/** The steps of a JSON pointer that may hold templates: a slash inside an expression is none of the pointer's. */
function pointerSteps(pointer: string): Step[] {
  let shown = pointer;
  for (const piece of splitTemplateText(pointer).pieces) {
    if (piece.kind !== 'expression') continue;
    // From `${` to `}`, so that offsets stay.
    const [start, end] = [piece.start - 2, piece.end + 1];
    shown = shown.slice(0, start) + HIDDEN.repeat(end - start) + shown.slice(end);
  }
  if (!shown.startsWith('/')) return [{ name: undefined, start: 0, end: pointer.length }];
  let start = 1;
  return shown
    .slice(1)
    .split('/')
    .map((text): Step => {
      const step = { name: text.includes(HIDDEN) ? undefined : unescapeToken(text), start, end: start + text.length };
      start = step.end + 1;
      return step;
    });
}

const unescapeToken = (text: string): string => text.replaceAll('$${', '${').replaceAll('~1', '/').replaceAll('~0', '~');
