import { isJsonObject, type JsonObject, jsonEqual, ownText } from '../../../../../engine/object/json.ts';
import { type FieldError, fieldInvalid, fieldRequired } from '../../field-error.ts';
import { EVENT_CONVERSION } from '../conversions/events.ts';
import type { Strategy } from '../definition.ts';
import { dnsSubdomainErrors } from '../names.ts';

const LONGEST = 128;
const LONGEST_MESSAGE = 1024;

/** Whether a client of the newer group wrote it, of which Kubernetes asks more. */
const isNew = ({ apiVersion }: JsonObject): boolean => apiVersion === 'events.k8s.io/v1';

/** Both groups as one: with the names of the core group. */
const asCore = (event: JsonObject): JsonObject => (isNew(event) ? EVENT_CONVERSION.toStored(event) : event);

/** What both groups ask. Kubernetes: pkg/apis/core/validation/events.go legacyValidateEvent. */
function commonErrors(event: JsonObject, namespace: string, reporting: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const involved = ownText(event['involvedObject'], 'namespace');
  const misplaced = fieldInvalid('involvedObject.namespace', involved, 'does not match event.namespace');
  if (ownText(event, 'eventTime') === '') {
    // An event about what has no namespace stands in the default one.
    if (involved === '' ? namespace !== 'default' : involved !== namespace) errors.push(misplaced);
    return errors;
  }
  if (involved === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(misplaced);
  if (ownText(event, 'reportingComponent') === '') errors.push(fieldRequired(reporting));
  for (const field of ['reportingInstance', 'action', 'reason']) {
    if (ownText(event, field) === '') errors.push(fieldRequired(field));
    else if (Buffer.byteLength(ownText(event, field)) > LONGEST)
      errors.push(fieldInvalid(field, '', `can have at most ${LONGEST} characters`));
  }
  if (Buffer.byteLength(ownText(event, 'message')) > LONGEST_MESSAGE) {
    errors.push(fieldInvalid('message', '', `can have at most ${LONGEST_MESSAGE} characters`));
  }
  return errors;
}

function seriesErrors({ series }: JsonObject): readonly FieldError[] {
  if (!isJsonObject(series)) return [];
  const { count } = series;
  return [
    ...(typeof count === 'number' && count >= 2 ? [] : [fieldInvalid('series.count', '', 'should be at least 2')]),
    ...(ownText(series, 'lastObservedTime') === '' ? [fieldRequired('series.lastObservedTime')] : []),
  ];
}

/** What the newer group asks of new events. */
function strictErrors(event: JsonObject): readonly FieldError[] {
  const errors = [...seriesErrors(event)];
  const type = ownText(event, 'type');
  if (ownText(event, 'eventTime') === '') errors.push(fieldRequired('eventTime'));
  if (type !== 'Normal' && type !== 'Warning') errors.push(fieldInvalid('type', '', `has invalid value: ${type}`));
  const unset = (field: string): number => errors.push(fieldInvalid(field, '', 'needs to be unset'));
  for (const field of ['firstTimestamp', 'lastTimestamp']) if (ownText(event, field) !== '') unset(field);
  if ((event['count'] ?? 0) !== 0) unset('count');
  if (ownText(event['source'], 'component') !== '' || ownText(event['source'], 'host') !== '') unset('source');
  return errors;
}

/** Of an event of the newer group only its series goes on. */
const IMMUTABLE: readonly (readonly [core: string, told: string])[] = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['message', 'message'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
];

const reportingField = (object: JsonObject): string => (isNew(object) ? 'reportingController' : 'reportingComponent');

/** Kubernetes: pkg/registry/core/event/strategy.go, pkg/apis/core/validation/events.go. */
export const eventStrategy: Strategy = {
  nameErrors: dnsSubdomainErrors,
  createOnUpdate: true,
  dependents: 'Unsupported',
  validate(object, { namespace }) {
    const event = asCore(object);
    return [...commonErrors(event, namespace, reportingField(object)), ...(isNew(object) ? strictErrors(event) : [])];
  },
  validateUpdate(object, old, { namespace }) {
    const event = asCore(object);
    const errors = [...commonErrors(event, namespace, reportingField(object))];
    if (!isNew(object)) return errors;
    const before = asCore(old);
    if (!jsonEqual(event['series'] ?? null, before['series'] ?? null)) errors.push(...seriesErrors(event));
    for (const [field, told] of IMMUTABLE) {
      if (!jsonEqual(event[field] ?? null, before[field] ?? null)) errors.push(fieldInvalid(told, event[field], 'field is immutable'));
    }
    return errors;
  },
};
