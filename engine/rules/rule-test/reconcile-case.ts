import { parseTimestamp } from '../../cel/run/timestamp.ts';
import { applyDefaults } from '../../object/defaults.ts';
import { isJsonObject, type Json, type JsonObject, ownValue } from '../../object/json.ts';
import { checkSchema } from '../../object/schema-check.ts';
import { createTypeTable, customResourceTypes, layerTypes, parseApiVersion, type TypeTable } from '../../object/type-table.ts';
import { type DocumentPath, formatPath } from '../../text/document.ts';
import { suggest } from '../../text/suggest.ts';
import { readDuration } from '../reconcile/durations.ts';
import type { DesiredObject, ReconcileFacts, ReconcilePlan, ReconcileProgram, ReconcileRule } from '../reconcile/program.ts';
import { recordedReconcileFacts } from '../reconcile/recorded-facts.ts';
import { missing, show } from './compare.ts';
import type { ReconcileCaseDocument, ReconcileExpectation } from './document.ts';
import type { RuleTestCase } from './run.ts';

const DEFAULT_NOW = '2025-01-01T00:00:00Z';

/** An instance to reconcile once, with the cluster as the case says it is, and what is to be true then. */
export function runReconcileCase(
  test: ReconcileCaseDocument,
  path: DocumentPath,
  program: ReconcileProgram,
  objects: readonly JsonObject[],
  cluster: TypeTable | undefined,
): RuleTestCase {
  const { name } = test;
  const failed = (...problems: readonly string[]): RuleTestCase => ({ name, ok: false, problems, path });
  const rule = ruleFor(test, program);
  if (typeof rule === 'string') return failed(rule);
  const now = millisecondsOf(test.now ?? DEFAULT_NOW);
  if (now === undefined) return failed(`expected now as ${DEFAULT_NOW}, found ${show(test.now)}`);
  const misspelt = unknownIds(test, rule);
  if (misspelt.length > 0) return failed(...misspelt);
  const definitions = program.rules.flatMap(({ definition }) => (definition === undefined ? [] : [definition]));
  const types = layerTypes(customResourceTypes(definitions), cluster ?? createTypeTable());
  const instance = completed(test.instance as JsonObject, rule, types);
  if (instance.problems.length > 0) return failed(...instance.problems);
  const calls = new Map<string, { readonly status: number; readonly body: unknown; readonly at: number }>();
  for (const [id, { status, body, at }] of Object.entries(test.calls ?? {})) {
    const made = at === undefined ? now : millisecondsOf(at);
    if (made === undefined) return failed(`expected at of the call ${id} as ${DEFAULT_NOW}, found ${show(at)}`);
    calls.set(id, { status: status ?? 200, body: body ?? null, at: made });
  }
  const recorded = [...objects, ...((test.objects ?? []) as readonly JsonObject[])].map((object) => inNamespace(object, types));
  const kept = recordedReconcileFacts(recorded, { now, types });
  const facts: ReconcileFacts = {
    ...kept,
    generated: (request) =>
      test.generated !== undefined && Object.hasOwn(test.generated, request.id) ? test.generated[request.id] : kept.generated(request),
    call: ({ id }) => calls.get(id),
    scope: (apiVersion, kind) => kept.scope(apiVersion, kind) ?? 'Namespaced',
  };
  const answer = rule.reconcile(instance.object, facts);
  if (answer.kind === 'needs') return failed(`a fact is missing: ${show(answer.needs)}`);
  const problems = compare(test.expect, answer.plan);
  return { name, ok: problems.length === 0, problems, path, plan: answer.plan };
}

function ruleFor({ instance, rule }: ReconcileCaseDocument, { rules }: ReconcileProgram): ReconcileRule | string {
  const [apiVersion, kind] = [instance['apiVersion'], instance['kind']];
  if (rule !== undefined) return rules.find(({ name }) => name === rule) ?? `no rule of the bundle is called ${rule}`;
  const about = rules.filter((each) => each.instance.apiVersion === apiVersion && each.instance.kind === kind);
  const [first, second] = about;
  if (first === undefined) return `no rule of the bundle is about ${String(kind)} of ${String(apiVersion)}`;
  return second === undefined
    ? first
    : `several rules are about ${String(kind)}: say which with rule, ${about.map(({ name }) => name).join(', ')}`;
}

/** An id that no entry has would be absent whatever the rule does, and what was generated under it would be nobody's. */
function unknownIds({ generated, calls, expect }: ReconcileCaseDocument, { order, name }: ReconcileRule): readonly string[] {
  const known = (id: string): boolean => order.includes(id.split('/', 1)[0] as string);
  const problem = (where: string) => (id: string) => {
    const near = suggest(id, order);
    return `${where}: no entry of ${name} has the id ${id}${near === undefined ? '' : `, did you mean ${near}?`}`;
  };
  const unknown = (where: string, ids: readonly string[]) => ids.filter((id) => !known(id)).map(problem(where));
  return [
    ...unknown('generated', Object.keys(generated ?? {})),
    ...unknown('calls', Object.keys(calls ?? {})),
    ...unknown(
      'absent',
      (expect.absent ?? []).filter((text) => !text.includes(' ')),
    ),
  ];
}

/** The instance as the server would keep it: defaults of the schema, and the metadata that every object has. */
function completed(
  instance: JsonObject,
  rule: ReconcileRule,
  types: TypeTable,
): { readonly object: JsonObject; readonly problems: readonly string[] } {
  const metadata = ownValue(instance, 'metadata');
  const given = isJsonObject(metadata) ? metadata : {};
  const namespace = isNamespaced(instance, types) ? { namespace: 'default' } : {};
  const object = {
    ...instance,
    metadata: { name: 'test', ...namespace, uid: '00000000-0000-0000-0000-000000000000', generation: 1, ...given },
  };
  const schema = types.typeOf(object);
  if (schema === undefined || rule.definition === undefined) return { object, problems: [] };
  const defaulted = applyDefaults(object, schema) as JsonObject;
  const problems = checkSchema(defaulted, schema).map(
    ({ path, message }) => `the instance does not fit its schema: ${formatPath(path)}: ${message}`,
  );
  return { object: defaulted, problems };
}

function isNamespaced(object: JsonObject, types: TypeTable): boolean {
  const { group, version } = parseApiVersion(String(object['apiVersion']));
  return types.resourceOf(group, version, String(object['kind']))?.namespaced ?? true;
}

/** An object of a test is in the namespace `default` unless it says otherwise. */
function inNamespace(object: JsonObject, types: TypeTable): JsonObject {
  const metadata = ownValue(object, 'metadata');
  if (!isJsonObject(metadata) || ownValue(metadata, 'namespace') !== undefined || !isNamespaced(object, types)) return object;
  return { ...object, metadata: { ...metadata, namespace: 'default' } };
}

function millisecondsOf(text: string): number | undefined {
  const parsed = parseTimestamp(text);
  return parsed === undefined ? undefined : parsed.seconds * 1000 + Math.floor(parsed.nanos / 1_000_000);
}

function compare(expected: ReconcileExpectation, plan: ReconcilePlan): readonly string[] {
  const problems: string[] = [];
  for (const object of (expected.objects ?? []) as readonly JsonObject[]) compareObject(object, plan.objects, problems);
  for (const absent of expected.absent ?? []) {
    const found = plan.objects.find((each) => matchesName(absent, each));
    if (found !== undefined) problems.push(`expected no ${absent}, found ${describe(found)}`);
  }
  sameIds(
    'waiting',
    expected.waiting,
    plan.waiting.map(({ id, reason }) => ({ id, note: reason })),
    problems,
  );
  if (expected.status !== undefined) missing('status', expected.status as Json, plan.status, [], problems);
  compareConditions(expected.conditions ?? {}, plan, problems);
  sameIds(
    'generate',
    expected.generate,
    plan.generate.map(({ id }) => ({ id })),
    problems,
  );
  sameList('calls', expected.calls as readonly JsonObject[] | undefined, plan.calls as unknown as readonly JsonObject[], problems);
  sameList('undo', expected.undo as readonly JsonObject[] | undefined, plan.undo as unknown as readonly JsonObject[], problems);
  compareRequeue(expected.requeueAfter, plan.requeueAfter, problems);
  const failures = plan.failures.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  const wanted = expected.failures ?? [];
  if (wanted.length !== failures.length || !wanted.every((part) => failures.some((failure) => failure.includes(part)))) {
    problems.push(`failures: expected ${show(wanted)}, found ${show(failures)}`);
  }
  return problems;
}

function compareObject(expected: JsonObject, desired: readonly DesiredObject[], problems: string[]): void {
  const metadata = ownValue(expected, 'metadata');
  const [kind, name] = [ownValue(expected, 'kind'), isJsonObject(metadata) ? ownValue(metadata, 'name') : undefined];
  const candidates = desired.filter(
    ({ reference }) => (kind === undefined || reference.kind === kind) && (name === undefined || reference.name === name),
  );
  const what = `${String(kind ?? 'object')} ${String(name ?? '')}`.trim();
  let least: readonly string[] | undefined;
  for (const { object } of candidates) {
    const found: string[] = [];
    missing(what, expected, object, [], found);
    if (found.length === 0) return;
    if (least === undefined || found.length < least.length) least = found;
  }
  const there = desired.map(describe);
  problems.push(...(least ?? [`expected ${what}, found ${there.length === 0 ? 'no object' : there.join(', ')}`]));
}

const describe = ({ reference: { kind, namespace, name } }: DesiredObject): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** `service`, `Service web` or `Service shop/web`. */
function matchesName(text: string, desired: DesiredObject): boolean {
  const { kind, name } = desired.reference;
  return text === desired.id || text === `${kind} ${name}` || text === describe(desired);
}

function sameIds(
  what: string,
  expected: readonly string[] | undefined,
  found: readonly { readonly id: string; readonly note?: string }[],
  problems: string[],
): void {
  if (expected === undefined) return;
  const ids = new Set(found.map(({ id }) => id));
  if (ids.size === new Set(expected).size && expected.every((id) => ids.has(id))) return;
  const told = found.map(({ id, note }) => (note === undefined ? id : `${id} (${note})`));
  problems.push(`${what}: expected ${show(expected)}, found ${told.length === 0 ? 'nothing' : told.join(', ')}`);
}

function sameList(what: string, expected: readonly JsonObject[] | undefined, found: readonly JsonObject[], problems: string[]): void {
  if (expected === undefined) return;
  if (expected.length !== found.length) {
    problems.push(`${what}: expected ${expected.length}, found ${show(found)}`);
    return;
  }
  for (const [index, each] of expected.entries()) {
    const id = ownValue(each, 'id');
    missing(`${what}[${index}]`, each, id === undefined ? found[index] : found.find((other) => other['id'] === id), [], problems);
  }
}

function compareConditions(expected: { readonly [type: string]: unknown }, { conditions }: ReconcilePlan, problems: string[]): void {
  for (const [type, wanted] of Object.entries(expected)) {
    const found = conditions.find((condition) => condition.type === type);
    if (found === undefined) {
      problems.push(`expected the condition ${type}, found ${conditions.map((condition) => condition.type).join(', ')}`);
      continue;
    }
    const fields: JsonObject = isJsonObject(wanted)
      ? wanted
      : { status: typeof wanted === 'boolean' ? (wanted ? 'True' : 'False') : (wanted as Json) };
    const differs = (['status', 'reason', 'message'] as const).some((field) => {
      const value = fields[field];
      if (value === undefined) return false;
      return field === 'message' ? !found.message.includes(String(value)) : found[field] !== value;
    });
    const { status, reason, message } = found;
    if (differs) problems.push(`condition ${type}: expected ${show(wanted)}, found ${show({ status, reason, message })}`);
  }
}

function compareRequeue(expected: string | undefined, found: number | undefined, problems: string[]): void {
  if (expected === undefined) return;
  const wanted = expected === 'never' ? undefined : readDuration(expected);
  if (wanted === undefined && expected !== 'never')
    problems.push(`requeueAfter: expected a duration, as 5m, or never, found ${show(expected)}`);
  else if (wanted !== found)
    problems.push(`requeueAfter: expected ${expected}, found ${found === undefined ? 'never' : `${found / 1000}s`}`);
}
