import { isJsonObject, type JsonObject, ownValue } from '../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../engine/object/metadata.ts';
import { describeFieldErrors, type FieldError, fieldNotSupported, fieldRequired } from '../field-error.ts';
import type { VirtualCreate } from '../hooks.ts';
import type { ServerState } from '../server-state.ts';
import { badRequest, conflict, noSuchPath, StatusError } from '../status-error.ts';
import { fieldOf, withField } from '../verbs/object-fields.ts';
import { isBeingDeleted, withMetadata } from '../verbs/object-metadata.ts';
import { updateObject } from '../verbs/update.ts';
import { virtualContext } from './virtual-context.ts';

/** Gives a pod its node. Kubernetes: pkg/registry/core/pod/storage/storage.go BindingREST. */
export function bindPod(state: ServerState): VirtualCreate {
  return async (request) => {
    const { object: binding, namespace } = request;
    const definition = state.catalog.find('', 'v1', 'pods');
    if (definition === undefined) throw noSuchPath();
    // `bindings` names the pod in the object only.
    const name = request.name === '' ? metadataText(binding, 'name') : request.name;
    if (metadataText(binding, 'name') !== name) throw badRequest('name in URL does not match name in Binding object');
    const node = fieldOf(binding, 'target', 'name');
    const errors = targetErrors(binding);
    // Kubernetes hands on what its validation says as it is, and so it is an error without a reason.
    if (errors.length > 0) throw new StatusError(500, undefined, describeFieldErrors(errors));
    await updateObject(
      state,
      { definition, name: { namespace, name }, change: (pod) => bound(pod, binding, String(node), name) },
      virtualContext(request, 'binding'),
    );
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  };
}

/** Kubernetes: pkg/apis/core/validation/validation.go ValidatePodBinding. */
function targetErrors(binding: JsonObject): readonly FieldError[] {
  const kind = fieldOf(binding, 'target', 'kind') ?? '';
  return [
    ...(kind === '' || kind === 'Node' ? [] : [fieldNotSupported('target.kind', kind, ['Node', '<empty>'])]),
    ...((fieldOf(binding, 'target', 'name') ?? '') === '' ? [fieldRequired('target.name')] : []),
  ];
}

function bound(pod: JsonObject, binding: JsonObject, node: string, name: string): JsonObject {
  const refuse = (why: string): Error => conflict({ group: '', resource: 'pods/binding' }, name, why);
  const uid = metadataText(binding, 'uid');
  if (uid !== '' && uid !== metadataText(pod, 'uid')) {
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadataText(pod, 'uid')}`);
  }
  if (isBeingDeleted(pod)) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  const spec = ownValue(pod, 'spec');
  const present = isJsonObject(spec) ? (spec['nodeName'] ?? '') : '';
  if (present !== '') throw refuse(`pod ${name} is already assigned to node "${String(present)}"`);
  if (isJsonObject(spec) && Array.isArray(spec['schedulingGates']) && spec['schedulingGates'].length > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  }
  const merged = (field: 'annotations' | 'labels'): JsonObject | undefined => {
    const added = metadataOf(binding)[field];
    const own = metadataOf(pod)[field];
    return isJsonObject(added) ? { ...(isJsonObject(own) ? own : {}), ...added } : isJsonObject(own) ? own : undefined;
  };
  const placed = { ...pod, spec: { ...(isJsonObject(spec) ? spec : {}), nodeName: node } };
  return withCondition(withMetadata(placed, { annotations: merged('annotations'), labels: merged('labels') }));
}

/** The scheduler's own condition, which a binding makes true. */
function withCondition(pod: JsonObject): JsonObject {
  const status = ownValue(pod, 'status');
  if (!isJsonObject(status)) return pod;
  const conditions = Array.isArray(status['conditions']) ? (status['conditions'] as readonly JsonObject[]) : [];
  const scheduled = { type: 'PodScheduled', status: 'True' };
  const present = conditions.find((condition) => condition['type'] === 'PodScheduled');
  if (present?.['status'] === 'True') return pod;
  const others = conditions.filter((condition) => condition !== present);
  return withField(pod, 'status', { ...status, conditions: [...others, scheduled] });
}
