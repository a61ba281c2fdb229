import { isJsonObject, type Json, type JsonObject, jsonEqual, ownValue, setOwn } from './json.ts';

/** What stands for a value that is not shown: what `kubectl diff` shows. */
const MASK = '***';
/** {@link MASK} where a value must be base64, so that the masked Secret is one an API server takes. */
const ENCODED_MASK = 'Kioq';

/** Holds the whole Secret once more, values included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const isSecret = (object: JsonObject): boolean => ownValue(object, 'kind') === 'Secret' && ownValue(object, 'apiVersion') === 'v1';

/**
 * A Secret without what is secret: same keys, masked values, still valid. Certificates stay, as they are public and rules read when they
 * end. Anything else comes back as it is.
 */
export function maskSecret(object: JsonObject): JsonObject {
  if (!isSecret(object)) return object;
  return mapValues(object, (value, field) => (field === 'stringData' ? MASK : isCertificate(value) ? value : ENCODED_MASK));
}

/** Two states of an object for a diff: masked values tell only whether they differ. */
export function maskSecretPair(before: JsonObject | null, after: JsonObject | null): readonly [JsonObject | null, JsonObject | null] {
  const mark = (object: JsonObject | null, other: JsonObject | null, label: string) => {
    if (object === null || !isSecret(object)) return object;
    return mapValues(object, (value, field, key) => {
      const fields = other === null ? undefined : ownValue(other, field);
      const counterpart = isJsonObject(fields) ? ownValue(fields, key) : undefined;
      return counterpart === undefined || jsonEqual(value, counterpart) ? MASK : `${MASK} (${label})`;
    });
  };
  return [mark(before, after, 'before'), mark(after, before, 'after')];
}

/** With every value of `data` and `stringData` put in by `replace`; the annotation that repeats them goes. */
function mapValues(object: JsonObject, replace: (value: Json, field: 'data' | 'stringData', key: string) => Json): JsonObject {
  const masked: { [key: string]: Json } = {};
  for (const [field, value] of Object.entries(object)) {
    if ((field === 'data' || field === 'stringData') && isJsonObject(value)) {
      const values: { [key: string]: Json } = {};
      for (const [key, each] of Object.entries(value)) setOwn(values, key, replace(each, field, key));
      masked[field] = values;
    } else setOwn(masked, field, field === 'metadata' && isJsonObject(value) ? withoutLastApplied(value) : value);
  }
  return masked;
}

function withoutLastApplied(metadata: JsonObject): JsonObject {
  const annotations = ownValue(metadata, 'annotations');
  if (!isJsonObject(annotations) || !Object.hasOwn(annotations, LAST_APPLIED)) return metadata;
  const { [LAST_APPLIED]: _, ...rest } = annotations;
  return { ...metadata, annotations: rest };
}

/** Whether base64 text holds certificates in PEM, and no key beside them. */
function isCertificate(value: Json): boolean {
  if (typeof value !== 'string' || value.length > 1_000_000) return false;
  let text: string;
  try {
    text = atob(value);
  } catch {
    return false;
  }
  return /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/.test(text);
}
