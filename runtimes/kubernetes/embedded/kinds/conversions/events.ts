import { type Json, type JsonObject, setOwn } from '../../../../../engine/object/json.ts';

/** Fields that are called otherwise in events.k8s.io/v1 than in the core group. Kubernetes: pkg/apis/events/v1/conversion.go. */
const NAMES: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];
const TO_EVENTS = new Map(NAMES);
const TO_CORE = new Map(NAMES.map(([core, events]) => [events, core] as const));

function renamed(object: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  const copy: { [field: string]: Json } = {};
  for (const [field, value] of Object.entries(object)) setOwn(copy, names.get(field) ?? field, value);
  return copy;
}

/** Events are stored as the core group has them. */
export const EVENT_CONVERSION = {
  fromStored: (object: JsonObject): JsonObject => renamed(object, TO_EVENTS),
  toStored: (object: JsonObject): JsonObject => renamed(object, TO_CORE),
};
