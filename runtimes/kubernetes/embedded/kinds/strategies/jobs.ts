import { isJsonObject, type JsonObject, jsonEqual, ownValue } from '../../../../../engine/object/json.ts';
import { metadataOf, metadataText } from '../../../../../engine/object/metadata.ts';
import { type FieldError, fieldInvalid, fieldRequired } from '../../field-error.ts';
import { fieldOf } from '../../verbs/object-fields.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';
import { podSpecErrors } from '../pod-spec.ts';
import { replicasErrors } from './workloads.ts';

function specOf(object: JsonObject): JsonObject {
  const spec = ownValue(object, 'spec');
  return isJsonObject(spec) ? spec : {};
}

/** A job finds its pods by its own UID. Kubernetes: pkg/registry/batch/job/strategy.go generateSelector. */
function withSelector(object: JsonObject): JsonObject {
  const spec = specOf(object);
  if (spec['manualSelector'] === true) return object;
  const uid = metadataText(object, 'uid');
  const name = metadataText(object, 'name');
  const template = isJsonObject(spec['template']) ? spec['template'] : {};
  const metadata = isJsonObject(template['metadata']) ? template['metadata'] : {};
  const labels = {
    ...(isJsonObject(metadata['labels']) ? metadata['labels'] : {}),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const given = isJsonObject(spec['selector']) ? spec['selector'] : {};
  const matchLabels = { ...(isJsonObject(given['matchLabels']) ? given['matchLabels'] : {}), 'batch.kubernetes.io/controller-uid': uid };
  const own = metadataOf(object);
  return {
    ...object,
    // A job without labels has those of its template, also those that it was given here.
    metadata: isJsonObject(own['labels']) ? own : { ...own, labels },
    spec: { ...spec, selector: { ...given, matchLabels }, template: { ...template, metadata: { ...metadata, labels } } },
  };
}

function jobSpecErrors(spec: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['parallelism', 'completions', 'backoffLimit']) errors.push(...replicasErrors(spec, field));
  const podSpec = fieldOf(spec, 'template', 'spec');
  errors.push(...podSpecErrors(isJsonObject(podSpec) ? podSpec : {}, `${path}.template.spec`));
  const policy = isJsonObject(podSpec) ? podSpec['restartPolicy'] : undefined;
  if (policy === 'Always') {
    errors.push(fieldRequired(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  }
  return errors;
}

/** Kubernetes: pkg/registry/batch/job/strategy.go. */
export const jobStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  generation: 'spec',
  dependents: 'Orphan',
  prepareForCreate: withSelector,
  validate: (object) => jobSpecErrors(specOf(object), 'spec'),
  validateUpdate(object, old) {
    const errors = [...jobSpecErrors(specOf(object), 'spec')];
    for (const field of ['completions', 'selector', 'template', 'completionMode'] as const) {
      if (field === 'template' && specOf(old)['suspend'] === true) continue;
      if (field === 'completions' && specOf(object)['completionMode'] === 'Indexed') continue;
      const value = specOf(object)[field];
      if (!jsonEqual(value, specOf(old)[field])) errors.push(fieldInvalid(`spec.${field}`, value, 'field is immutable'));
    }
    return errors;
  },
};

/** A name leaves room for what the controller adds. */
const LONGEST_CRON_NAME = 52;

/** Kubernetes: pkg/registry/batch/cronjob/strategy.go. */
export const cronJobStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  generation: 'spec',
  validate: cronJobErrors,
  validateUpdate: cronJobErrors,
};

function cronJobErrors(object: JsonObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const name = metadataText(object, 'name');
  if (name.length > LONGEST_CRON_NAME) errors.push(fieldInvalid('metadata.name', name, 'must be no more than 52 characters'));
  const schedule = ownValue(spec, 'schedule');
  if (typeof schedule !== 'string' || schedule === '') errors.push(fieldRequired('spec.schedule'));
  else if (!/^(@(yearly|annually|monthly|weekly|daily|midnight|hourly|every .+)|(\S+\s+){4}\S+)$/.test(schedule.trim())) {
    errors.push(
      fieldInvalid('spec.schedule', schedule, `expected exactly 5 fields, found ${schedule.trim().split(/\s+/).length}: [${schedule}]`),
    );
  }
  const jobSpec = fieldOf(spec, 'jobTemplate', 'spec');
  errors.push(...jobSpecErrors(isJsonObject(jobSpec) ? jobSpec : {}, 'spec.jobTemplate.spec'));
  return errors;
}
