import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { diffJson } from '../../engine/object/json-diff.ts';
import { metadataOf } from '../../engine/object/metadata.ts';
import type { DesiredObject } from '../../engine/rules/reconcile/program.ts';
import type { ApiError } from '../kubernetes/api-error.ts';
import { AUTOSCALED_PATHS, bodyOf, desiredDigest, isAsApplied, isAutoscaled, type OwnedState } from './child.ts';
import type { Environment, InstanceMemory, RuleIdentity } from './environment.ts';
import { referenceText, shortReference } from './inventory.ts';
import type { KindSource } from './kind-source.ts';
import { INSTANCE_LABEL, isDeleting, isPaused, judgeAdoption, labelOf, resourceVersionOf, uidOf } from './ownership.ts';
import { isFieldConflict, isImmutableField, type Problem, problem, problemOf } from './problem.ts';
import { type Rival, rivalsOf } from './rivals.ts';
import { isPreconditionFailure, WritingStopped } from './writer.ts';

export interface ApplyContext {
  readonly env: Environment;
  readonly rule: RuleIdentity;
  readonly instance: JsonObject;
  readonly memory: InstanceMemory;
  /** Objects of a kind that rules have made. */
  readonly children: (apiVersion: string, kind: string) => KindSource;
  /** All objects of a kind, where they are watched. */
  readonly foreign: (apiVersion: string, kind: string) => KindSource;
  /** Whether the plan itself has an autoscaler for the object. */
  readonly isAutoscaled: (desired: DesiredObject) => boolean;
}

export interface ApplyOutcome {
  /** Whether the cluster is another than before. */
  readonly changed: boolean;
  readonly problem?: Problem;
  /** Milliseconds after which it is worth a look again. */
  readonly again?: number;
}

const UNCHANGED: ApplyOutcome = { changed: false };

/** Makes one object what it is to be. Writes nothing where it is that already. */
export async function applyObject(context: ApplyContext, desired: DesiredObject): Promise<ApplyOutcome> {
  const { env, instance } = context;
  const { reference } = desired;
  const what = shortReference(reference);
  const pause = env.rewrites.pauseOf(rewriteKey(context, desired));
  if (pause !== undefined) return { ...UNCHANGED, again: pause.milliseconds, problem: problem('HotLoop', pause.reason, true) };
  const source = (desired.partial ? context.foreign : context.children)(reference.apiVersion, reference.kind);
  let observed = source.get(reference.namespace, reference.name);
  if (!desired.partial && observed !== undefined && labelOf(observed, INSTANCE_LABEL) !== uidOf(instance)) observed = undefined;
  try {
    if (desired.partial) return await applyPartial(context, desired, source, observed);
    if (observed === undefined) return await applyUnseen(context, desired, source);
    if (isPaused(observed)) return UNCHANGED;
    if (isDeleting(observed)) {
      return { ...UNCHANGED, problem: problem('BeingDeleted', `${what} is being deleted; it is made again when it is gone`, false) };
    }
    return await applyOver(context, desired, source, observed);
  } catch (error) {
    if (error instanceof WritingStopped) throw error;
    return { ...UNCHANGED, problem: problemOf(error, 'apply', what) };
  }
}

/** An object that our watch does not show: there is none, or it is not ours. */
async function applyUnseen(context: ApplyContext, desired: DesiredObject, source: KindSource): Promise<ApplyOutcome> {
  const { env, instance } = context;
  const { apiVersion, kind } = desired.reference;
  const live = await env.writer.get(apiVersion, kind, desired.reference);
  if (live === null) return send(context, desired, source, { live: undefined, owned: undefined, controller: true });
  const what = shortReference(desired.reference);
  const adoption = judgeAdoption(live, { uid: uidOf(instance) }, desired.adopt, env.instanceLives);
  switch (adoption.kind) {
    case 'ours': {
      const seen = source.wrote(live);
      return isDeleting(live)
        ? { ...UNCHANGED, problem: problem('BeingDeleted', `${what} is being deleted; it is made again when it is gone`, false) }
        : applyOver(context, desired, source, seen);
    }
    case 'wait':
      return { ...UNCHANGED, problem: problem('Waiting', `${what}: ${adoption.reason}`, false) };
    case 'refuse':
      return { ...UNCHANGED, problem: problem('NotOurs', `${what} is not taken over: ${adoption.reason}`, true) };
    case 'adopt':
      env.log('info', 'object adopted', { rule: context.rule.name, object: what });
      return send(context, desired, source, { live, owned: { fields: {}, digest: '' }, controller: adoption.controller });
  }
}

/** An object of ours. */
async function applyOver(context: ApplyContext, desired: DesiredObject, source: KindSource, observed: JsonObject): Promise<ApplyOutcome> {
  const { rule, instance, memory } = context;
  const state = source.stateOf(observed);
  const owned = state?.owned.get(rule.fieldManager);
  const text = referenceText(desired.reference);
  const digest = desiredDigest(desired, instance);
  const before = memory.applied.get(text);
  if (owned !== undefined && before?.desired === digest && before.owned === owned.digest) return UNCHANGED;
  const autoscaled = state?.autoscaled === true || context.isAutoscaled(desired);
  const target: Target = {
    live: observed,
    owned: owned ?? { fields: {}, digest: '' },
    controller: controlsOrMay(observed, instance),
    autoscaled,
  };
  if (owned !== undefined && isAsApplied(makeBody(context, desired, target), owned)) {
    memory.applied.set(text, { desired: digest, owned: owned.digest });
    return UNCHANGED;
  }
  return send(context, desired, source, target);
}

interface Target {
  /** As it was last seen; undefined where it does not exist. */
  readonly live: JsonObject | undefined;
  readonly owned: OwnedState | undefined;
  readonly controller: boolean;
  readonly autoscaled?: boolean;
  /** Where it was looked for them. */
  readonly rivals?: readonly Rival[];
}

function makeBody(context: ApplyContext, desired: DesiredObject, { owned, controller, autoscaled }: Target): JsonObject {
  const { rule, instance } = context;
  return bodyOf(desired, { rule: rule.name, instance, owned, controller, ...(autoscaled === true ? { ignore: AUTOSCALED_PATHS } : {}) });
}

/** Whether the instance is the controlling owner, or the place is free. */
function controlsOrMay(object: JsonObject, instance: JsonObject): boolean {
  const references = metadataOf(object)['ownerReferences'];
  if (!Array.isArray(references)) return true;
  return !(references as readonly Json[]).some(
    (each) => isJsonObject(each) && each['controller'] === true && each['uid'] !== uidOf(instance),
  );
}

async function send(context: ApplyContext, desired: DesiredObject, source: KindSource, target: Target): Promise<ApplyOutcome> {
  const { env, rule } = context;
  const body = makeBody(context, desired, target);
  try {
    const rivals = target.live === undefined ? [] : await findRivals(context, desired, body);
    const result = await env.writer.apply(body, { fieldManager: rule.fieldManager, force: desired.force, fieldValidation: 'Strict' });
    return settle(context, desired, source, { ...target, rivals }, result);
  } catch (error) {
    if (target.live !== undefined && isFieldConflict(error)) return resolveConflict(context, desired, source, error as ApiError);
    if (target.live !== undefined && desired.onImmutable === 'Recreate' && isImmutableField(error)) {
      return recreate(context, desired, source, target.live, error as ApiError);
    }
    throw error;
  }
}

/** Takes in the server's answer. */
function settle(context: ApplyContext, desired: DesiredObject, source: KindSource, target: Target, result: JsonObject): ApplyOutcome {
  const { rule, instance, memory, env } = context;
  const kept = source.wrote(result);
  const owned = source.stateOf(kept)?.owned.get(desired.partial ? partialManager(rule, instance) : rule.fieldManager);
  const text = referenceText(desired.reference);
  if (owned !== undefined) memory.applied.set(text, { desired: desiredDigest(desired, instance), owned: owned.digest });
  const { live } = target;
  if (live !== undefined && uidOf(live) === uidOf(result) && resourceVersionOf(live) === resourceVersionOf(result)) return UNCHANGED;
  if (live === undefined) return { changed: true };
  const key = rewriteKey(context, desired);
  const { count, pause } = env.rewrites.rewrote(key);
  if (pause === 0) return { changed: true };
  const why = blame(target.rivals ?? [], contestedFields(target.owned, owned));
  const message = `${shortReference(desired.reference)} was written ${count} times in a minute: ${why}. It is left alone for a while.`;
  env.rewrites.explain(key, message);
  env.report(instance, 'Warning', 'HotLoop', message);
  return { changed: false, again: pause, problem: problem('HotLoop', message, true) };
}

/** `changed`: what of ours the last rewrite changed. */
function blame(rivals: readonly Rival[], changed: string): string {
  if (rivals.length > 0)
    return rivals.map(({ manager, fields }) => `"${manager}" sets ${fields.slice(0, 5).join(', ')} otherwise`).join('; ');
  const last = changed === '' ? '' : `${changed} changed last; `;
  return `${last}either another writer wants it otherwise, or the template never gives the same twice`;
}

/** Before a rewrite that may be one too many: who else writes. Asks the server, as caches keep no books of others. */
async function findRivals(context: ApplyContext, desired: DesiredObject, body: JsonObject): Promise<readonly Rival[]> {
  const { env, rule, instance } = context;
  if (!env.rewrites.isAtLimit(rewriteKey(context, desired))) return [];
  const { apiVersion, kind } = desired.reference;
  const live = await env.writer.get(apiVersion, kind, desired.reference);
  return live === null ? [] : rivalsOf(live, body, desired.partial ? partialManager(rule, instance) : rule.fieldManager);
}

/** Paths at which what we own differs before and after our write. */
function contestedFields(before: OwnedState | undefined, after: OwnedState | undefined): string {
  if (before === undefined || after === undefined) return '';
  const paths = diffJson(before.fields, after.fields).map(({ path }) => path.replaceAll('/', '.'));
  return [...new Set(paths)].slice(0, 5).join(', ');
}

const rewriteKey = ({ instance }: ApplyContext, { reference }: DesiredObject): string => `${uidOf(instance)} ${referenceText(reference)}`;

/**
 * Others own fields with other values. Their fields are taken where they were left behind by a rule that is gone, and left to an
 * autoscaler; all else is for a person to decide.
 */
async function resolveConflict(context: ApplyContext, desired: DesiredObject, source: KindSource, error: ApiError): Promise<ApplyOutcome> {
  const { env, rule } = context;
  const { apiVersion, kind } = desired.reference;
  const live = await env.writer.get(apiVersion, kind, desired.reference);
  if (live === null) throw error;
  const seen = source.wrote(live);
  const owned = source.stateOf(seen)?.owned.get(rule.fieldManager) ?? { fields: {}, digest: '' };
  const autoscaled = isAutoscaled(live) || context.isAutoscaled(desired);
  const target: Target = { live, owned, controller: controlsOrMay(live, context.instance), autoscaled };
  const body = makeBody(context, desired, target);
  const { causes } = error.details;
  const abandoned = causes.length > 0 && causes.every(({ message }) => isAbandoned(/^conflict with "([^"]+)"/.exec(message)?.[1], env));
  const options = { fieldManager: rule.fieldManager, force: desired.force || abandoned, fieldValidation: 'Strict' } as const;
  // Once: with what is there now, ignored paths as they are now, and an autoscaler that may have come.
  return settle(context, desired, source, target, await env.writer.apply(body, options));
}

const isAbandoned = (manager: string | undefined, env: Environment): boolean =>
  manager?.startsWith('fairlead/') === true && !env.isLivingManager(manager);

async function recreate(
  context: ApplyContext,
  desired: DesiredObject,
  source: KindSource,
  live: JsonObject,
  error: ApiError,
): Promise<ApplyOutcome> {
  const { env, rule, instance } = context;
  const { reference } = desired;
  const what = shortReference(reference);
  const preconditions = { uid: uidOf(live) };
  const left = await env.writer.delete(reference.apiVersion, reference.kind, reference, { preconditions, propagationPolicy: 'Foreground' });
  env.report(instance, 'Normal', 'Recreated', `${what} is deleted and made anew, as a field of it can't be changed: ${error.message}`);
  env.log('info', 'object is made anew for an immutable field', { rule: rule.name, object: what });
  if (left !== null && isDeleting(left)) {
    source.wrote(left);
    return { changed: true, problem: problem('BeingDeleted', `${what} is being deleted; it is made again when it is gone`, false) };
  }
  source.gone(live);
  context.memory.applied.delete(referenceText(reference));
  return send(context, desired, source, { live: undefined, owned: undefined, controller: true });
}

/** The manager of fields on foreign objects: each instance has its own, or one would take away what another has put there. */
export function partialManager(rule: RuleIdentity, instance: JsonObject): string {
  const name = `${rule.fieldManager}:${uidOf(instance)}`;
  if (name.length <= LONGEST_MANAGER) return name;
  return `fairlead/${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

/** Kubernetes bounds the name of a field manager to this. */
const LONGEST_MANAGER = 128;

async function applyPartial(
  context: ApplyContext,
  desired: DesiredObject,
  source: KindSource,
  observed: JsonObject | undefined,
): Promise<ApplyOutcome> {
  const { env, rule, instance, memory } = context;
  const { reference } = desired;
  if (observed === undefined) {
    return { ...UNCHANGED, problem: problem('NotFound', `${shortReference(reference)} is not there to be patched`, false) };
  }
  const fieldManager = partialManager(rule, instance);
  const owned = source.stateOf(observed)?.owned.get(fieldManager);
  const digest = desiredDigest(desired, instance);
  const before = memory.applied.get(referenceText(reference));
  if (owned !== undefined && before?.desired === digest && before.owned === owned.digest) return UNCHANGED;
  const body = bodyOf(desired, { rule: rule.name, instance, owned: owned ?? { fields: {}, digest: '' }, controller: false });
  if (owned !== undefined && isAsApplied(body, owned)) {
    memory.applied.set(referenceText(reference), { desired: digest, owned: owned.digest });
    return UNCHANGED;
  }
  // With its uid, an apply never creates: an object of others is not ours to make.
  const guarded = { ...body, metadata: { ...metadataOf(body), uid: uidOf(observed) } };
  try {
    const rivals = await findRivals(context, desired, body);
    const result = await env.writer.apply(guarded, { fieldManager, force: desired.force, fieldValidation: 'Strict' });
    return settle(context, desired, source, { live: observed, owned, controller: false, rivals }, result);
  } catch (error) {
    if (isPreconditionFailure(error))
      return { ...UNCHANGED, problem: problem('Waiting', `${shortReference(reference)} was made anew`, false) };
    throw error;
  }
}

/** Lets go of the fields that we hold on a foreign object. */
export async function releasePartial(
  env: Environment,
  rule: RuleIdentity,
  instance: JsonObject,
  reference: DesiredObject['reference'],
): Promise<void> {
  const { apiVersion, kind, namespace, name } = reference;
  const live = await env.writer.get(apiVersion, kind, reference);
  if (live === null) return;
  const place = { ...(namespace === undefined || namespace === '' ? {} : { namespace }), name };
  await env.writer.apply({ apiVersion, kind, metadata: { ...place, uid: uidOf(live) } }, { fieldManager: partialManager(rule, instance) });
}
