import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { labelSelectorOf } from '../../../../../engine/object/label-selector.ts';
import { metadataOf } from '../../../../../engine/object/metadata.ts';
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../../field-error.ts';
import { fieldOf } from '../../verbs/object-fields.ts';
import { validateLabels, withMetadata } from '../../verbs/object-metadata.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';
import { podSpecErrors } from '../pod-spec.ts';

function specOf(object: JsonObject): JsonObject {
  const spec = ownValue(object, 'spec');
  return isJsonObject(spec) ? spec : {};
}

/** A number of replicas that is none. */
export function replicasErrors(spec: JsonObject, field: string): readonly FieldError[] {
  const value = ownValue(spec, field);
  return typeof value === 'number' && value < 0 ? [fieldInvalid(`spec.${field}`, value, 'must be greater than or equal to 0')] : [];
}

const MISMATCH = '`selector` does not match template `labels`';

/** The selector and the template, which must fit together. */
function templateErrors(object: JsonObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const selector = ownValue(spec, 'selector');
  const labels = fieldOf(spec, 'template', 'metadata', 'labels');
  if (selector === undefined) {
    errors.push(fieldRequired('spec.selector'));
    errors.push(fieldInvalid('spec.template.metadata.labels', labels, MISMATCH));
  } else {
    const parsed = labelSelectorOf(selector);
    if (!parsed.ok) errors.push(fieldInvalid('spec.selector', selector, parsed.message));
    else if (parsed.selector.requirements.length === 0) {
      errors.push(fieldInvalid('spec.selector', selector, 'empty selector is invalid for deployment'));
    }
    if (parsed.ok && !parsed.selector.matches(isJsonObject(labels) ? labels : undefined)) {
      errors.push(fieldInvalid('spec.template.metadata.labels', labels, MISMATCH));
    }
  }
  errors.push(...validateLabels(labels, 'spec.template.metadata.labels'));
  const podSpec = fieldOf(spec, 'template', 'spec');
  const templates = spec['volumeClaimTemplates'];
  const claims = (Array.isArray(templates) ? (templates as readonly Json[]) : [])
    .filter(isJsonObject)
    .map((claim) => String(fieldOf(claim, 'metadata', 'name')));
  errors.push(...podSpecErrors(isJsonObject(podSpec) ? podSpec : {}, 'spec.template.spec', claims));
  const policy = isJsonObject(podSpec) ? podSpec['restartPolicy'] : undefined;
  if (policy !== undefined && policy !== 'Always') errors.push(fieldNotSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  return errors;
}

function workloadErrors(object: JsonObject): readonly FieldError[] {
  return [...replicasErrors(specOf(object), 'replicas'), ...templateErrors(object)];
}

function selectorChange(object: JsonObject, old: JsonObject): readonly FieldError[] {
  const selector = specOf(object)['selector'];
  return jsonEqual(selector, specOf(old)['selector']) ? [] : [fieldInvalid('spec.selector', selector, 'field is immutable')];
}

/** Deployments, replica sets and daemon sets. Kubernetes: pkg/registry/apps. */
function workload(initialStatus: JsonObject): Strategy {
  return {
    nameErrors: dnsSubdomainErrors,
    generation: 'spec',
    initialStatus,
    validate: workloadErrors,
    validateUpdate: (object, old) => [...workloadErrors(object), ...selectorChange(object, old)],
  };
}

/** Parts of the replicas can't be more than all of them. Kubernetes: pkg/apis/apps/validation ValidateDeploymentStatus. */
function statusErrors(object: JsonObject): readonly FieldError[] {
  const count = (field: string): number => {
    const value = fieldOf(object, 'status', field);
    return typeof value === 'number' ? value : 0;
  };
  const replicas = count('replicas');
  const fields = ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'];
  return [
    ...fields
      .filter((field) => count(field) < 0)
      .map((field) => fieldInvalid(`status.${field}`, count(field), 'must be greater than or equal to 0')),
    ...['updatedReplicas', 'readyReplicas', 'availableReplicas']
      .filter((field) => count(field) > replicas)
      .map((field) => fieldInvalid(`status.${field}`, count(field), 'cannot be greater than status.replicas')),
  ];
}

export const deploymentStrategy: Strategy = {
  ...workload({}),
  keptByStatus: [['spec'], ['metadata', 'labels']],
  validateStatusUpdate: (object) => statusErrors(object),
  prepareForStatusUpdate: (object, old) => ({
    ...old,
    metadata: metadataOf(withMetadata(object, { labels: metadataOf(old)['labels'] })),
    status: object['status'] ?? {},
  }),
};
export const replicaSetStrategy = workload({ replicas: 0 });

/** Counts changes of the template; older clients read it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function withTemplateGeneration(object: JsonObject, generation: number): JsonObject {
  const annotations = metadataOf(object)['annotations'];
  return withMetadata(object, {
    annotations: { ...(isJsonObject(annotations) ? annotations : {}), [TEMPLATE_GENERATION]: String(generation) },
  });
}

export const daemonSetStrategy: Strategy = {
  ...workload({ currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }),
  prepareForCreate: (object) => withTemplateGeneration(object, 1),
  prepareForUpdate(object, old) {
    const before = Number(fieldOf(old, 'metadata', 'annotations', TEMPLATE_GENERATION) ?? 0);
    const isSame = jsonEqual(fieldOf(object, 'spec', 'template'), fieldOf(old, 'spec', 'template'));
    return withTemplateGeneration(object, isSame ? before : before + 1);
  },
};

const STATEFUL_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];
const STATEFUL_RULE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function fixedPart(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(specOf(object)).filter(([field]) => !STATEFUL_MUTABLE.includes(field)));
}

/** Kubernetes: pkg/registry/apps/statefulset/strategy.go. */
export const statefulSetStrategy: Strategy = {
  ...workload({ availableReplicas: 0, replicas: 0 }),
  prepareForCreate(object) {
    const claims = specOf(object)['volumeClaimTemplates'];
    if (!Array.isArray(claims)) return object;
    const typed = (claims as readonly Json[]).map((claim) =>
      isJsonObject(claim) ? { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim, status: { phase: 'Pending' } } : claim,
    );
    return { ...object, spec: { ...specOf(object), volumeClaimTemplates: typed } };
  },
  validateUpdate: (object, old) => [
    ...workloadErrors(object),
    ...(jsonEqual(fixedPart(object), fixedPart(old)) ? [] : [fieldForbidden('spec', STATEFUL_RULE)]),
  ],
};

/** Kubernetes: pkg/registry/core/replicationcontroller/strategy.go. */
export const replicationControllerStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  generation: 'spec',
  initialStatus: { replicas: 0 },
  returnsDeleted: false,
  dependents: 'Orphan',
  validate(object) {
    const podSpec = fieldOf(object, 'spec', 'template', 'spec');
    return [...replicasErrors(specOf(object), 'replicas'), ...podSpecErrors(isJsonObject(podSpec) ? podSpec : {}, 'spec.template.spec')];
  },
};
