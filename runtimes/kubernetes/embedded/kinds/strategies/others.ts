import { isJsonObject, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { fieldInvalid } from '../../field-error.ts';
import { fieldOf, withField } from '../../verbs/object-fields.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';

/** Kinds whose spec is counted. */
export const countedSpec: Strategy = { generation: 'spec', nameErrors: dnsSubdomainErrors };

/** Kinds of which everything but the metadata is counted. */
export const countedWhole: Strategy = { generation: 'all', nameErrors: dnsSubdomainErrors };

/** Configurations that one may not overwrite without having read them. */
export const guardedSpec: Strategy = { ...countedSpec, unconditionalUpdate: false };

/** Kinds whose metadata is nothing that whoever reports a status may change. Kubernetes: meta/v1 ResetObjectMetaForStatus. */
const reported: Strategy = { statusKeepsMetadata: true, keptByStatus: [['metadata'], ['spec']] };
export const reportedPlain: Strategy = { ...reported, nameErrors: dnsSubdomainErrors };
export const reportedSpec: Strategy = { ...countedSpec, ...reported };
export const reportedGuarded: Strategy = { ...guardedSpec, ...reported };

export const plainNames: Strategy = { nameErrors: dnsSubdomainErrors };

export const endpointsStrategy: Strategy = { nameErrors: dnsSubdomainErrors, createOnUpdate: true };

export const serviceAccountStrategy: Strategy = { nameErrors: dnsSubdomainErrors, returnsDeleted: true };

export const podTemplateStrategy: Strategy = { nameErrors: dnsSubdomainErrors, generation: 'all', returnsDeleted: true };

export const resourceQuotaStrategy: Strategy = { nameErrors: dnsSubdomainErrors, returnsDeleted: true };

/** What a kubelet reports it may report at once. */
export const nodeStrategy: Strategy = { nameErrors: dnsSubdomainErrors, initialStatus: 'kept' };

export const persistentVolumeStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  initialStatus: { phase: 'Pending' },
  returnsDeleted: true,
};

/** Kubernetes: pkg/registry/core/persistentvolumeclaim/strategy.go. */
export const persistentVolumeClaimStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  initialStatus: { phase: 'Pending' },
  returnsDeleted: true,
};

/** Immutable beside metadata. */
export const controllerRevisionStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  validateUpdate: (object, old) =>
    jsonEqual(object['data'], old['data']) ? [] : [fieldInvalid('data', object['data'], 'field is immutable')],
};

export const priorityClassStrategy: Strategy = {
  ...countedWhole,
  validateUpdate: (object, old) =>
    (['value', 'preemptionPolicy'] as const)
      .filter((field) => !jsonEqual(object[field], old[field]))
      .map((field) => ({ type: 'FieldValueForbidden' as const, field, body: 'Forbidden: may not be changed in an update.' })),
};

export const ingressStrategy: Strategy = { ...countedSpec, initialStatus: { loadBalancer: {} } };

export const disruptionBudgetStrategy: Strategy = {
  ...countedSpec,
  unconditionalUpdate: false,
  initialStatus: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
};

export const autoscalerStrategy: Strategy = { ...countedSpec, initialStatus: { currentMetrics: null, desiredReplicas: 0 } };

/** Kubernetes: pkg/registry/certificates/certificates/strategy.go. */
export const signingRequestStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  prepareForCreate(object, { requester }) {
    const spec = ownValue(object, 'spec');
    const { username, groups, uid, extra } = requester;
    const who = { username, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
    return { ...object, spec: { ...(isJsonObject(spec) ? spec : {}), ...who } };
  },
  prepareForUpdate: (object, old) => withField(object, 'spec', old['spec']),
  prepareForSubresource: {
    approval: (object, old) => ({
      ...old,
      metadata: object['metadata'] ?? {},
      status: { ...(old['status'] as JsonObject | undefined), conditions: fieldOf(object, 'status', 'conditions') ?? [] },
    }),
  },
};
