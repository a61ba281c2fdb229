import { parseDuration } from '../cel/run/duration.ts';
import { isJsonObject, type JsonObject } from '../object/json.ts';
import type { DocumentPath } from '../text/document.ts';
import { diagnosticAt } from '../text/shape-check.ts';
import { suggest } from '../text/suggest.ts';
import type { OperationTable, StepReport, StepSource } from './step-source.ts';

/** Milliseconds that one verb of a step may take where the rule does not say. */
export const DEFAULT_STEP_TIMEOUT = 30_000;

/** What may stand beside the operation. */
const BESIDE: Readonly<Record<string, string>> = {
  id: 'a name for its outputs',
  when: 'CEL, of type bool',
  forEach: 'CEL, a list or a map',
  timeout: 'a duration, as 30s',
};

/** What is meant by words that other tools have for operations, and for what stands beside them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  if: 'when',
  condition: 'when',
  loop: 'forEach',
  for: 'forEach',
  name: 'id',
  ptp: 'veth',
  hostPort: 'portMap',
  hostPorts: 'portMap',
  snat: 'masquerade',
  ipMasq: 'masquerade',
  run: 'exec',
  command: 'exec',
  shell: 'exec',
};

/**
 * Reads a step: `{ <operation>: {arguments}, id?, when?, forEach?, timeout? }`. What is wrong with its form is reported; undefined where there
 * is no step to go on with.
 */
export function readStep(report: StepReport, path: DocumentPath, value: unknown, operations: OperationTable): StepSource | undefined {
  if (!isJsonObject(value)) {
    report.error(path, 'step-form', 'expected a step: an operation and its arguments', 'as bridge: { name: cni0 }');
    return undefined;
  }
  const name = operationName(report, path, value, operations);
  const text = (field: 'id' | 'when' | 'forEach' | 'timeout') => textAt(report, path, value, field);
  const [id, when, forEach, timeout] = [text('id'), text('when'), text('forEach'), text('timeout')];
  const milliseconds = timeout === undefined ? DEFAULT_STEP_TIMEOUT : readTimeout(report, timeout);
  if (name === undefined) return undefined;
  const below = [...path, name];
  const given = value[name] ?? {};
  if (!isJsonObject(given)) {
    report.error(below, 'step-arguments', `expected the arguments of ${name}`, `as ${name}: { ... }`);
    return undefined;
  }
  const operation = operations.get(name)!;
  const misplaced = misplacedFields(report, below, given, operation.arguments);
  if (misplaced) return undefined;
  return { path, operation, arguments: { path: below, value: given }, id, when, forEach, timeout: milliseconds };
}

function operationName(report: StepReport, path: DocumentPath, step: JsonObject, operations: OperationTable): string | undefined {
  const names = Object.keys(step).filter((key) => !Object.hasOwn(BESIDE, key));
  const [first, second] = names;
  if (first === undefined) {
    report.error(path, 'step-form', 'the step has no operation', `one of ${[...operations.keys()].join(', ')}`);
    return undefined;
  }
  const at = (key: string, message: string, hint: string | undefined) =>
    report.add(diagnosticAt(report.document, [...path, key], { code: 'step-operation', part: 'key', message, hint }));
  for (const name of names) {
    if (operations.has(name)) continue;
    at(name, `unknown operation ${name}`, hintFor(name, operations));
  }
  if (names.some((name) => !operations.has(name))) return undefined;
  if (second !== undefined) {
    at(second, `a step is one operation, found ${names.join(' and ')}`, 'make a step of each: `- ` in front of it');
    return undefined;
  }
  return first;
}

function hintFor(name: string, operations: OperationTable): string {
  if (name === 'ipam') return 'addresses are no step: ipam stands beside steps, in spec';
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
  const near = elsewhere ?? suggest(name, [...operations.keys(), ...Object.keys(BESIDE)]);
  return near === undefined ? `one of ${[...operations.keys()].join(', ')}` : `did you mean ${near}?`;
}

function textAt(report: StepReport, path: DocumentPath, step: JsonObject, field: string) {
  const value = Object.hasOwn(step, field) ? step[field] : undefined;
  if (value === undefined || value === null) return undefined;
  const at = [...path, field];
  if (typeof value === 'string') return { path: at, text: value };
  // `when: false` is an expression, too, and YAML has taken it for a value of its own.
  if ((field === 'when' && typeof value === 'boolean') || (field === 'forEach' && Array.isArray(value) && value.length === 0))
    return { path: at, text: JSON.stringify(value) };
  const hint = field === 'timeout' && typeof value === 'number' ? `write it with its unit: ${value}s` : undefined;
  report.error(at, 'step-form', `expected ${BESIDE[field]}, as text`, hint);
  return undefined;
}

/** Fields of the step that stand among the arguments, where nothing reads them. */
function misplacedFields(report: StepReport, path: DocumentPath, args: JsonObject, shape: { readonly kind: string }): boolean {
  const known = shape.kind === 'object' ? (shape as { readonly fields?: object }).fields : undefined;
  let found = false;
  for (const field of Object.keys(BESIDE)) {
    if (!Object.hasOwn(args, field) || (known !== undefined && Object.hasOwn(known, field))) continue;
    const message = `${field} stands beside the operation, not among its arguments`;
    const hint = `write { ${String(path.at(-1))}: {...}, ${field}: ... }`;
    report.add(diagnosticAt(report.document, [...path, field], { code: 'step-misplaced', part: 'key', message, hint }));
    found = true;
  }
  return found;
}

function readTimeout(report: StepReport, { path, text }: { readonly path: DocumentPath; readonly text: string }): number {
  const nanos = parseDuration(text.trim())?.nanos;
  if (nanos !== undefined && nanos >= 1_000_000n && nanos <= 600_000_000_000n) return Number(nanos / 1_000_000n);
  report.error(path, 'step-timeout', `expected a duration of at most 10m, found ${JSON.stringify(text)}`, 'write it as 30s or 2m');
  return DEFAULT_STEP_TIMEOUT;
}
