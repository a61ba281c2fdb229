import { isJsonObject, type Json, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { labelSelectorOf } from '../../../../engine/object/label-selector.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { formatTime } from '../../../../engine/object/time.ts';
import type { VirtualCreate, VirtualRequest } from '../hooks.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ServerState } from '../server-state.ts';
import { badRequest, forbidden, noSuchPath, notFound, StatusError, tooManyRequests } from '../status-error.ts';
import { deleteObject } from '../verbs/delete.ts';
import { conditionIs, fieldOf } from '../verbs/object-fields.ts';
import { isBeingDeleted } from '../verbs/object-metadata.ts';
import { updateObject } from '../verbs/update.ts';
import { virtualContext } from './virtual-context.ts';

const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
/** As many pods as may wait for their deletion to be seen by one budget. */
const MAX_DISRUPTED = 2000;

/** Deletes a pod where its disruption budget allows. Kubernetes: pkg/registry/core/pod/storage/eviction.go. */
export function evictPod(state: ServerState): VirtualCreate {
  return async (request) => {
    const { object: eviction, namespace, name } = request;
    const pods = state.catalog.find('', 'v1', 'pods');
    const budgets = state.catalog.find('policy', 'v1', 'poddisruptionbudgets');
    if (pods === undefined || budgets === undefined) throw noSuchPath();
    if (metadataText(eviction, 'name') !== name) throw badRequest('name in URL does not match name in Eviction object');
    const pod = state.store.get(pods.storedIn, `${namespace}/${name}`)?.object;
    if (pod === undefined) throw notFound(pods, name);
    const attributes = {
      operation: 'CREATE' as const,
      type: pods,
      subresource: 'eviction',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      namespace,
      name,
      old: null,
      requester: request.requester,
      options: virtualContext(request, 'eviction').options,
      dryRun: request.dryRun,
      warn: request.warn,
    };
    const object = (await state.admission.mutate({ ...attributes, object: eviction })) ?? eviction;
    await state.admission.validate({ ...attributes, object });
    if (!mayIgnoreBudgets(pod)) await spendBudget(state, budgets, pod, request);
    await remove(state, pods, object, request);
    return SUCCESS;
  };
}

/** What does not run is missed by nobody. */
function mayIgnoreBudgets(pod: JsonObject): boolean {
  const phase = fieldOf(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || isBeingDeleted(pod);
}

async function spendBudget(state: ServerState, budgets: ResourceDefinition, pod: JsonObject, request: VirtualRequest): Promise<void> {
  const { namespace, name } = request;
  const labels = ownValue(metadataOf(pod), 'labels');
  const found: JsonObject[] = [];
  for (const { object } of state.store.collection(budgets.storedIn).range(`${namespace}/`)) {
    const selector = fieldOf(object, 'spec', 'selector');
    const parsed = selector === undefined ? undefined : labelSelectorOf(selector);
    if (parsed?.ok === true && parsed.selector.matches(isJsonObject(labels) ? labels : undefined)) found.push(object);
  }
  if (found.length > 1) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new StatusError(500, undefined, message);
  }
  const [budget] = found;
  if (budget === undefined) return;
  const current = number(fieldOf(budget, 'status', 'currentHealthy'));
  const desired = number(fieldOf(budget, 'status', 'desiredHealthy'));
  // Whoever is not ready takes nothing away.
  if (
    !conditionIs(pod, 'Ready') &&
    (fieldOf(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow' || (current >= desired && desired > 0))
  )
    return;
  await updateObject(
    state,
    {
      definition: budgets,
      name: { namespace, name: metadataText(budget, 'name') },
      change: (live) => spent(live, name, formatTime(state.clock.now())),
    },
    { ...virtualContext(request, 'status'), fieldManager: 'fairlead' },
  );
}

function spent(budget: JsonObject, pod: string, now: string): JsonObject {
  const name = metadataText(budget, 'name');
  const status = ownValue(budget, 'status');
  const present = isJsonObject(status) ? status : {};
  const allowed = number(present['disruptionsAllowed']);
  const observed = number(present['observedGeneration']);
  if (observed < number(metadataOf(budget)['generation'])) {
    throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10, [
      { reason: 'DisruptionBudget', message: `The disruption budget ${name} is still being processed by the server.` },
    ]);
  }
  if (allowed < 0) throw forbidden({ group: 'policy', resource: 'poddisruptionbudgets' }, name, 'pdb disruptions allowed is negative');
  const disrupted = isJsonObject(present['disruptedPods']) ? present['disruptedPods'] : {};
  if (Object.keys(disrupted).length > MAX_DISRUPTED) {
    throw forbidden(
      { group: 'policy', resource: 'poddisruptionbudgets' },
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  }
  if (allowed === 0) {
    const healthy = number(present['currentHealthy']);
    const needed = number(present['desiredHealthy']);
    throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 0, [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${name} needs ${needed} healthy pods and has ${healthy} currently`,
      },
    ]);
  }
  return { ...budget, status: { ...present, disruptionsAllowed: allowed - 1, disruptedPods: { ...disrupted, [pod]: now } } };
}

async function remove(state: ServerState, pods: ResourceDefinition, eviction: JsonObject, request: VirtualRequest): Promise<void> {
  const { namespace, name } = request;
  const given = ownValue(eviction, 'deleteOptions');
  const options = isJsonObject(given) ? given : {};
  const { gracePeriodSeconds, preconditions } = options;
  const wish = {
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(isJsonObject(preconditions)
      ? { preconditions: preconditions as { readonly uid?: string; readonly resourceVersion?: string } }
      : {}),
  };
  const context = virtualContext(request, '');
  const dryRun = context.dryRun || (Array.isArray(options['dryRun']) && options['dryRun'].length > 0);
  await deleteObject(state, pods, { namespace, name }, wish, {
    ...context,
    dryRun,
    options: { ...options, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1' },
  });
}

function number(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
