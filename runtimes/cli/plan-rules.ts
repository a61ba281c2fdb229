import { typesWith } from '../../engine/bundle/compile.ts';
import { applyDefaults } from '../../engine/object/defaults.ts';
import { isJsonObject, type JsonObject } from '../../engine/object/json.ts';
import { parseApiVersion } from '../../engine/object/type-table.ts';
import type { GenerateRequest, ReconcileProgram, ReconcileRule } from '../../engine/rules/reconcile/program.ts';
import { breakingChanges } from '../controller/definition-changes.ts';
import { type InstancePlan, planInstance } from '../controller/plan.ts';
import { ApiError } from '../kubernetes/api-error.ts';
import type { KubernetesClient, ResourceClient } from '../kubernetes/client.ts';
import type { Change } from './change-lines.ts';
import { objectLabel, referenceOf } from './object-label.ts';

/** An instance, what the controller would do for it, and why nothing can be said where nothing can. */
export type PlannedInstance =
  | { readonly kind: 'planned'; readonly rule: ReconcileRule; readonly instance: JsonObject; readonly planned: InstancePlan }
  | { readonly kind: 'refused'; readonly rule: ReconcileRule; readonly instance: JsonObject; readonly problem: string };

/** What would become of a rule's CustomResourceDefinition, and what of it would break objects that exist. */
export interface PlannedDefinition extends Change {
  readonly breaking: readonly string[];
}

export interface PlanRulesOptions {
  readonly client: KubernetesClient;
  readonly program: ReconcileProgram;
  /** Instances as they are to be; undefined: those of the cluster. */
  readonly given: readonly JsonObject[] | undefined;
  /** Only instances of it; of given ones, that of those that name none. */
  readonly namespace: string | undefined;
  readonly now: number;
  readonly generate: (request: GenerateRequest) => Readonly<Record<string, string>> | undefined;
}

export interface RulesPlan {
  readonly definitions: readonly PlannedDefinition[];
  readonly instances: readonly PlannedInstance[];
}

const DEFINITION = ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'] as const;
/** Instances that are planned at the same time. */
const AT_ONCE = 8;
/** Writes of a dry run, which is how a server is asked what would become of an object. */
const PLANNER = 'fairlead-plan';

/** What the controller would do to a cluster now. Rejects where the server is not reached. */
export async function planRules(options: PlanRulesOptions): Promise<RulesPlan> {
  const { client, program } = options;
  const definitions: PlannedDefinition[] = [];
  const instances: { readonly rule: ReconcileRule; readonly instance: JsonObject | string; readonly given: JsonObject }[] = [];
  for (const rule of program.rules) {
    if (rule.definition !== undefined) definitions.push(await planDefinition(client, rule, rule.definition));
    instances.push(...(await instancesOf(rule, options)));
  }
  const planned: PlannedInstance[] = [];
  for (let at = 0; at < instances.length; at += AT_ONCE) {
    planned.push(...(await Promise.all(instances.slice(at, at + AT_ONCE).map((each) => planOne(each, options)))));
  }
  return { definitions, instances: planned };
}

async function planOne(
  { rule, instance, given }: { readonly rule: ReconcileRule; readonly instance: JsonObject | string; readonly given: JsonObject },
  { client, now, generate }: PlanRulesOptions,
): Promise<PlannedInstance> {
  if (typeof instance === 'string') return { kind: 'refused', rule, instance: given, problem: instance };
  return { kind: 'planned', rule, instance, planned: await planInstance({ client, rule, instance, now, generate }) };
}

async function resourceOf(client: KubernetesClient, apiVersion: string, kind: string): Promise<ResourceClient | null> {
  const type = await client.discovery.resourceOf(apiVersion, kind);
  return type === null ? null : client.resource(type);
}

async function planDefinition(client: KubernetesClient, rule: ReconcileRule, definition: JsonObject): Promise<PlannedDefinition> {
  const label = objectLabel(definition);
  const resource = await resourceOf(client, ...DEFINITION);
  const live = (await resource?.get(referenceOf(definition))) ?? null;
  const before = live === null ? null : { apiVersion: live['apiVersion']!, kind: live['kind']!, spec: live['spec']! };
  if (resource === null || live === null) return { action: 'create', label, before, after: definition, breaking: [] };
  const result = await resource.apply(definition, { fieldManager: rule.fieldManager, force: true, dryRun: true });
  const after = { apiVersion: result['apiVersion']!, kind: result['kind']!, spec: result['spec']! };
  const action = JSON.stringify(before) === JSON.stringify(after) ? 'none' : 'change';
  return { action, label, before, after, breaking: action === 'none' ? [] : breakingChanges(live, result) };
}

/** The instances of a rule as the server has them or would have them; a text says why there is none of what was given. */
async function instancesOf(rule: ReconcileRule, { client, given, namespace }: PlanRulesOptions) {
  const { apiVersion, kind, labelSelector } = rule.instance;
  const resource = await resourceOf(client, apiVersion, kind);
  if (given === undefined) {
    const found = resource === null ? [] : (await resource.list({ namespace, labelSelector })).items;
    return found.map((instance) => ({ rule, instance, given: instance }));
  }
  const about = given.filter((object) => object['apiVersion'] === apiVersion && object['kind'] === kind);
  return Promise.all(about.map(async (object) => ({ rule, given: object, instance: await completed(object, rule, resource, namespace) })));
}

/** An instance as the server would keep it: checked, with its defaults, and with its uid where it is there already. */
async function completed(
  object: JsonObject,
  rule: ReconcileRule,
  resource: ResourceClient | null,
  namespace = 'default',
): Promise<JsonObject | string> {
  const metadata = isJsonObject(object['metadata'] ?? null) ? (object['metadata'] as JsonObject) : {};
  const namespaced = resource?.type.namespaced ?? rule.instance.namespaced ?? true;
  const placed = namespaced && metadata['namespace'] === undefined ? { ...object, metadata: { ...metadata, namespace } } : object;
  if (resource === null) return withDefaults(placed, rule);
  const live = await resource.get(referenceOf(placed));
  const { resourceVersion: _r, uid: _u, managedFields: _m, ...given } = placed['metadata'] as JsonObject;
  try {
    const options = { fieldManager: PLANNER, force: true, dryRun: true, fieldValidation: 'Strict' } as const;
    const { status: _s, ...wanted } = placed as JsonObject;
    const result = await resource.apply({ ...wanted, metadata: given }, options);
    if (live !== null) return result;
    // What a dry run makes up for an object that is not there is not what it will have.
    const { uid: _uid, resourceVersion: _version, ...made } = result['metadata'] as JsonObject;
    return { ...result, metadata: made };
  } catch (error) {
    if (error instanceof ApiError && error.status < 500 && error.status !== 401) return error.message;
    throw error;
  }
}

/** The kind is not served yet: the schema is the one that the rule is going to make. */
function withDefaults(object: JsonObject, { definition }: ReconcileRule): JsonObject {
  if (definition === undefined) return object;
  const { group, version } = parseApiVersion(String(object['apiVersion']));
  const schema = typesWith([definition]).kind(group, version, String(object['kind']));
  return schema === undefined ? object : (applyDefaults(object, schema) as JsonObject);
}
