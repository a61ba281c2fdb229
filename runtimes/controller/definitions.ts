import { isJsonObject, type Json, type JsonObject, ownValue } from '../../engine/object/json.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import type { FieldDemand, ReconcileRule } from '../../engine/rules/reconcile/program.ts';
import { digestOf, isAsApplied } from './child.ts';
import { breakingChanges } from './definition-changes.ts';
import type { Applied, Environment } from './environment.ts';
import type { KindSource } from './kind-source.ts';
import { annotationOf, BUNDLE_ANNOTATION, labelOf, nameOf, RULE_LABEL, ruleLabel } from './ownership.ts';
import { type Problem, problem, problemOf } from './problem.ts';
import { WritingStopped } from './writer.ts';

export const DEFINITION_KIND = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

/** What is kept of each CustomResourceDefinition of the cluster. */
export const DEFINITION_FIELDS: FieldDemand = {
  spec: { group: true, names: true, scope: true, versions: { '*': { name: true, served: true } } },
  status: { conditions: true },
};

/** On a CustomResourceDefinition: a person has seen that its changes break objects that exist, and wants them. */
const ALLOW_BREAKING_ANNOTATION = 'fairlead.dev/allow-breaking-changes';

export type DefinitionState =
  | { readonly kind: 'established' }
  /** Served as it was; what the rule wants of it now is refused. */
  | { readonly kind: 'kept'; readonly problem: Problem }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'refused'; readonly problem: Problem };

export interface DefinitionContext {
  readonly env: Environment;
  readonly rule: ReconcileRule;
  /** All CustomResourceDefinitions. */
  readonly definitions: KindSource;
  readonly bundle: string;
  /** Whether a rule of the bundle has this label. */
  readonly isLivingRule: (label: string) => boolean;
  /** What was applied last, by name of the definition. */
  readonly applied: Map<string, Applied>;
}

/** Makes a rule's CustomResourceDefinition what it is to be; never one that somebody else made. */
export async function ensureDefinition(context: DefinitionContext, definition: JsonObject): Promise<DefinitionState> {
  const name = nameOf(definition);
  try {
    return await ensure(context, definition, name);
  } catch (error) {
    if (error instanceof WritingStopped) throw error;
    const found = problemOf(error, 'apply', `CustomResourceDefinition ${name}`);
    return found.stalled ? { kind: 'refused', problem: found } : { kind: 'waiting', reason: found.message };
  }
}

async function ensure(context: DefinitionContext, definition: JsonObject, name: string): Promise<DefinitionState> {
  const { env, rule, definitions, applied } = context;
  const bundle = bundleOf(context);
  const observed = definitions.get(undefined, name);
  if (observed !== undefined) {
    const claim = judgeClaim(observed, context);
    if (claim !== undefined) return { kind: 'refused', problem: problem('DefinitionNotOurs', claim, true) };
  }
  const body = withClaim(definition, rule.name, bundle);
  const desired = digestOf(body);
  const owned = observed === undefined ? undefined : definitions.stateOf(observed)?.owned.get(rule.fieldManager);
  const before = applied.get(name);
  const same = owned !== undefined && ((before?.desired === desired && before.owned === owned.digest) || isAsApplied(body, owned));
  if (same) {
    applied.set(name, { desired, owned: owned.digest });
    return stateOf(observed!);
  }
  const live = await env.writer.get(DEFINITION_KIND.apiVersion, DEFINITION_KIND.kind, { name });
  if (live !== null) {
    const claim = judgeClaim(live, context);
    if (claim !== undefined) return { kind: 'refused', problem: problem('DefinitionNotOurs', claim, true) };
    const broken = await objection(env, live, definition);
    if (broken !== undefined) return { kind: 'kept', problem: problem('BreakingChange', broken, true) };
  }
  const result = await env.writer.apply(body, { fieldManager: rule.fieldManager, force: true });
  const kept = definitions.wrote(result);
  const after = definitions.stateOf(kept)?.owned.get(rule.fieldManager);
  if (after !== undefined) applied.set(name, { desired, owned: after.digest });
  env.client.discovery.invalidate(groupOf(definition));
  env.log('info', 'definition applied', { rule: rule.name, definition: name });
  return stateOf(result);
}

export const groupOf = (definition: JsonObject): string => {
  const spec = ownValue(definition, 'spec');
  return isJsonObject(spec) ? String(ownValue(spec, 'group') ?? '') : '';
};

function withClaim(definition: JsonObject, rule: string, bundle: string): JsonObject {
  const metadata = metadataOf(definition);
  const map = (key: string): JsonObject => {
    const value = ownValue(metadata, key);
    return isJsonObject(value) ? value : {};
  };
  return {
    ...definition,
    metadata: {
      ...metadata,
      labels: { ...map('labels'), [RULE_LABEL]: ruleLabel(rule) },
      annotations: { ...map('annotations'), [BUNDLE_ANNOTATION]: bundle },
    },
  };
}

/** The rule's own bundle: what else is served beside it changes nothing about who made a definition. */
const bundleOf = ({ rule, bundle }: DefinitionContext): string => rule.bundle ?? bundle;

/** Why a definition that exists is not ours to write; undefined where it is. */
function judgeClaim(existing: JsonObject, context: DefinitionContext): string | undefined {
  const { rule, isLivingRule } = context;
  const bundle = bundleOf(context);
  const name = nameOf(existing);
  const owner = labelOf(existing, RULE_LABEL);
  if (owner === undefined) {
    return `CustomResourceDefinition ${name} exists and was not made by a rule: let the rule decorate its objects (for: instead of resource:), or delete it`;
  }
  const claimed = annotationOf(existing, BUNDLE_ANNOTATION);
  if (claimed !== bundle) {
    return `CustomResourceDefinition ${name} belongs to rule ${owner} of bundle ${claimed ?? 'without a name'}, not to bundle ${bundle}: use another group or kind, or change its annotation ${BUNDLE_ANNOTATION}`;
  }
  if (owner === ruleLabel(rule.name) || !isLivingRule(owner)) return undefined;
  return `CustomResourceDefinition ${name} belongs to rule ${owner} of this bundle: two rules cannot make one kind`;
}

/** Why the change would break objects that exist. */
async function objection(env: Environment, live: JsonObject, next: JsonObject): Promise<string | undefined> {
  const changes = breakingChanges(live, next);
  if (changes.length === 0 || annotationOf(live, ALLOW_BREAKING_ANNOTATION) === 'true' || !(await hasObjects(env, live))) return undefined;
  return (
    `CustomResourceDefinition ${nameOf(live)} stays as it is while objects of its kind exist, as the change would break them: ${changes.join('; ')}. ` +
    `Add a version instead, or set the annotation ${ALLOW_BREAKING_ANNOTATION}: "true" on it`
  );
}

async function hasObjects({ client }: Environment, definition: JsonObject): Promise<boolean> {
  const spec = definition['spec'];
  if (!isJsonObject(spec)) return false;
  const names = spec['names'];
  const versions = Array.isArray(spec['versions']) ? (spec['versions'] as readonly Json[]).filter(isJsonObject) : [];
  const served = versions.find((version) => version['served'] === true);
  if (served === undefined || !isJsonObject(names)) return false;
  const path = `/apis/${String(spec['group'])}/${String(served['name'])}/${String(names['plural'])}?limit=1`;
  const { body } = await client.request({ path });
  return (
    isJsonObject(body as Json) &&
    Array.isArray((body as JsonObject)['items']) &&
    ((body as JsonObject)['items'] as readonly Json[]).length > 0
  );
}

/** What the server says of a definition. */
function stateOf(definition: JsonObject): DefinitionState {
  const status = ownValue(definition, 'status');
  const conditions = isJsonObject(status) && Array.isArray(status['conditions']) ? (status['conditions'] as readonly Json[]) : [];
  const find = (type: string): JsonObject | undefined => conditions.filter(isJsonObject).find((each) => each['type'] === type);
  if (find('Established')?.['status'] === 'True') return { kind: 'established' };
  const names = find('NamesAccepted');
  if (names?.['status'] === 'False') {
    const text = `CustomResourceDefinition ${nameOf(definition)} is not accepted: ${String(names['message'])}`;
    return { kind: 'refused', problem: problem('NamesNotAccepted', text, true) };
  }
  return { kind: 'waiting', reason: 'the server has not established the kind yet' };
}
