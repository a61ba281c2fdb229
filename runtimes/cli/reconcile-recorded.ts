import { typesWith } from '../../engine/bundle/compile.ts';
import { applyConfiguration } from '../../engine/object/apply-configuration.ts';
import { type CustomResourceSchema, compileCustomResourceSchema } from '../../engine/object/custom-resource-schema.ts';
import { applyDefaults } from '../../engine/object/defaults.ts';
import { isJsonObject, type JsonObject, jsonEqual } from '../../engine/object/json.ts';
import { parseLabelSelector } from '../../engine/object/label-selector.ts';
import { labelsOf } from '../../engine/object/metadata.ts';
import { compileGetter, parsePath } from '../../engine/object/path.ts';
import { compileSetter } from '../../engine/object/path-set.ts';
import { parseApiVersion, type TypeTable } from '../../engine/object/type-table.ts';
import type {
  DesiredObject,
  GenerateRequest,
  ReconcileFacts,
  ReconcilePlan,
  ReconcileProgram,
  ReconcileRule,
} from '../../engine/rules/reconcile/program.ts';
import { recordedReconcileFacts } from '../../engine/rules/reconcile/recorded-facts.ts';
import type { RecordedObject } from '../host/recording.ts';
import { referenceOf } from './object-label.ts';

/** What an apply of a desired object would do to what is recorded. */
export interface RecordedChange {
  readonly desired: DesiredObject;
  readonly action: 'create' | 'change' | 'none';
  /** Null where nothing is recorded. */
  readonly before: JsonObject | null;
  readonly after: JsonObject;
  /** Why an apply would be refused; then {@link after} is what was wanted. */
  readonly problem: string | undefined;
}

/** One instance among recorded objects, and what a rule wants for it. */
export interface ReconciledInstance {
  readonly rule: ReconcileRule;
  readonly recorded: RecordedObject;
  /** With the defaults of its schema. */
  readonly instance: JsonObject;
  /** Why an API server would not take the instance, by the schema of its rule: `spec.replicas: Required value`. */
  readonly problems: readonly string[];
  readonly plan: ReconcilePlan;
  readonly changes: readonly RecordedChange[];
  /** Values that would be made, because no recorded Secret holds them or because they are to be renewed. */
  readonly generate: readonly GenerateRequest[];
}

export interface ReconcileRecordedOptions {
  /** Objects that may be instances, in the order in which they are shown. */
  readonly recorded: readonly RecordedObject[];
  /** Further objects that rules may look up. */
  readonly facts: readonly JsonObject[];
  /** Of objects that name none. */
  readonly namespace: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Makes the values that are to be made once; they are gone with the answer. */
  readonly generate: (request: GenerateRequest) => Readonly<Record<string, string>> | undefined;
}

/** Times that objects are taken as made and rules are asked again; more than a rule has levels. */
const MAX_ROUNDS = 32;

/**
 * Asks rules about the instances among recorded objects. What is not recorded does not exist. What rules want is taken as made at once, and
 * the status they give as written, so that everything is seen that does not need a cluster's doing: what waits for a Deployment to become
 * available waits. Calls are not made.
 */
export function reconcileRecorded(program: ReconcileProgram, options: ReconcileRecordedOptions): readonly ReconciledInstance[] {
  const given = [...options.recorded.map(({ object }) => object), ...options.facts];
  const definitions = program.rules.flatMap(({ definition }) => (definition === undefined ? [] : [definition]));
  // What rules of the bundle say of their kinds is newer than what is recorded of them.
  const types = typesWith([...definitions, ...given.filter((object) => object['kind'] === 'CustomResourceDefinition')]);
  const recorded = given.map((object) => inNamespace(object, options.namespace, types));
  const kept = recordedReconcileFacts(recorded, { now: options.now, types });
  const recordedFacts: ReconcileFacts = { ...kept, generated: (request) => kept.generated(request) ?? options.generate(request) };
  const found = program.rules.flatMap((rule) => instancesOf(rule, options, types).map((each) => ({ rule, ...each })));
  const made = new Map<string, JsonObject>();
  let plans: readonly ReconcilePlan[] = [];
  for (let round = 0, changed = true; changed && round < MAX_ROUNDS; round++) {
    changed = false;
    const put = (object: JsonObject): void => {
      const key = JSON.stringify(referenceOf(object));
      if (jsonEqual(made.get(key), object)) return;
      made.set(key, object);
      changed = true;
    };
    const facts = withMade(recordedFacts, [...made.values()], types);
    plans = found.map(({ rule, instance }) => planOf(rule, instance, facts));
    for (const [index, plan] of plans.entries()) {
      for (const desired of plan.objects) put(changeOf(desired, recordedFacts, types).after);
      const { rule, instance } = found[index]!;
      if (!rule.instance.decorated) put(withStatus(instance, plan));
    }
  }
  return found.map((each, index) => {
    const plan = plans[index]!;
    const changes = plan.objects.map((desired) => changeOf(desired, recordedFacts, types));
    return {
      ...each,
      plan,
      changes,
      generate: [...plan.generate, ...plan.kept.filter((request) => kept.generated(request) === undefined)],
    };
  });
}

/** The facts once some objects are made. */
function withMade(recorded: ReconcileFacts, made: readonly JsonObject[], types: TypeTable): ReconcileFacts {
  const newer = recordedReconcileFacts(made, { now: recorded.now, types });
  const names = new Set(made.map((object) => JSON.stringify(referenceOf(object))));
  return {
    ...recorded,
    object: (reference) => newer.object(reference) ?? recorded.object(reference),
    objects: (query) => [
      ...(recorded.objects(query) ?? []).filter((object) => !names.has(JSON.stringify(referenceOf(object)))),
      ...(newer.objects(query) ?? []),
    ],
  };
}

function withStatus(instance: JsonObject, { status, conditions }: ReconcilePlan): JsonObject {
  const before = isJsonObject(instance['status'] ?? null) ? (instance['status'] as JsonObject) : {};
  const { generation } = isJsonObject(instance['metadata'] ?? null) ? (instance['metadata'] as JsonObject) : {};
  return {
    ...instance,
    status: {
      ...before,
      ...status,
      conditions: conditions as unknown as readonly JsonObject[],
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    },
  };
}

function instancesOf({ instance, definition }: ReconcileRule, { recorded, namespace }: ReconcileRecordedOptions, types: TypeTable) {
  const selector = parseLabelSelector(instance.labelSelector);
  const source = definition === undefined ? undefined : versionSchema(definition, parseApiVersion(instance.apiVersion).version);
  const own = source === undefined ? undefined : compileCustomResourceSchema(source);
  return recorded
    .filter(({ object }) => object['apiVersion'] === instance.apiVersion && object['kind'] === instance.kind)
    .filter(({ object }) => !selector.ok || selector.selector.matches(labelsOf(object)))
    .map((each) => {
      const schema = types.typeOf(each.object);
      const placed = inNamespace(each.object, namespace, types);
      const problems = own === undefined ? [] : problemsOf(placed, own);
      return { recorded: each, instance: schema === undefined ? placed : (applyDefaults(placed, schema) as JsonObject), problems };
    });
}

function versionSchema(definition: JsonObject, version: string): JsonObject | undefined {
  const { versions } = definition['spec'] as { readonly versions?: readonly JsonObject[] };
  const schema = versions?.find(({ name }) => name === version)?.['schema'];
  const source = isJsonObject(schema) ? schema['openAPIV3Schema'] : undefined;
  return isJsonObject(source) ? source : undefined;
}

/** As the API server does it: what is not declared, then what is not valid of the rest with its defaults. */
function problemsOf(instance: JsonObject, schema: CustomResourceSchema): readonly string[] {
  const { object, unknown } = schema.prune(instance);
  const { errors } = schema.validate(schema.applyDefaults(object));
  return [...unknown.map((path) => `unknown field ${path}`), ...errors.map(({ field, body }) => `${field}: ${body}`)];
}

function planOf(rule: ReconcileRule, instance: JsonObject, facts: ReconcileFacts): ReconcilePlan {
  const answer = rule.reconcile(instance, facts);
  if (answer.kind === 'needs') throw new Error(`recorded facts are complete, but ${JSON.stringify(answer.needs)} is asked for`);
  return answer.plan;
}

function changeOf(desired: DesiredObject, facts: ReconcileFacts, types: TypeTable): RecordedChange {
  const before = facts.object(desired.reference) ?? null;
  if (before === null) {
    // Fields of an object that others make: there is nothing to put them on.
    const problem = desired.partial ? "it does not exist, and is not the rule's to make" : undefined;
    return { desired, action: problem === undefined ? 'create' : 'none', before, after: desired.object, problem };
  }
  const wanted = withIgnored(desired, before);
  const outcome = applyConfiguration(before, wanted, types.typeOf(wanted), { atomics: 'replace' });
  if (!outcome.ok) return { desired, action: 'change', before, after: wanted, problem: outcome.message };
  return { desired, action: jsonEqual(before, outcome.object) ? 'none' : 'change', before, after: outcome.object, problem: undefined };
}

/** With the values that are there where the rule leaves them to others. */
function withIgnored({ object, ignore }: DesiredObject, before: JsonObject): JsonObject {
  return ignore.reduce<JsonObject>((wanted, text) => {
    const parsed = parsePath(text);
    if (!parsed.ok) return wanted;
    const [current] = compileGetter(parsed.path)(before);
    const outcome = current === undefined ? undefined : compileSetter(parsed.path)(wanted, () => current);
    return outcome?.ok ? (outcome.object as JsonObject) : wanted;
  }, object);
}

function inNamespace(object: JsonObject, namespace: string, types: TypeTable): JsonObject {
  const { group, version } = parseApiVersion(String(object['apiVersion']));
  const metadata = isJsonObject(object['metadata'] ?? null) ? (object['metadata'] as JsonObject) : {};
  if (metadata['namespace'] !== undefined || types.resourceOf(group, version, String(object['kind']))?.namespaced !== true) return object;
  return { ...object, metadata: { ...metadata, namespace } };
}
