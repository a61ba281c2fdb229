/** Longest name part of an annotation's key. Kubernetes: apimachinery pkg/util/validation IsQualifiedName. */
const MAX_KEY_LENGTH = 63;

/**
 * Audit annotations of a decision under keys that a webhook may use. The API server puts the webhook's name and a slash in front and
 * drops, with a line in its own log only, what is no qualified name then: a second slash, other characters, more than 63.
 *
 * `policy/key` becomes `policy.key`, `validation.policy.admission.k8s.io/validation_failure` becomes `validation_failure`; a longer key
 * is cut and ends in a hash of the whole. Values that come to share a key are joined with `, `.
 *
 * Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/attributes.go checkKeyFormat.
 */
export function webhookAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const result = new Map<string, string>();
  for (const [key, value] of Object.entries(annotations)) {
    const name = webhookKey(key);
    const present = result.get(name);
    result.set(name, present === undefined ? value : `${present}, ${value}`);
  }
  return Object.fromEntries(result);
}

function webhookKey(key: string): string {
  const own = key.replace(/^validation\.policy\.admission\.k8s\.io\//, '').replace('/', '.');
  const name = own.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[._-]+|[._-]+$/g, '') || 'annotation';
  if (name.length <= MAX_KEY_LENGTH) return name;
  const hash = fnv1a(key);
  return `${name.slice(0, MAX_KEY_LENGTH - hash.length - 1)}-${hash}`;
}

/** FNV-1a, 32 bits, as eight hexadecimal digits. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
