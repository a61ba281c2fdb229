/**
 * Orders two resource versions of the same resource: negative where `a` is older, 0 where they are the same, undefined where
 * one of them is no decimal number and so nothing but equality can be said. They may be longer than a JavaScript number is exact.
 *
 * Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/resourceversion/resourceversion.go.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!isOrdered(a) || !isOrdered(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** Decimal without a leading zero; `0` is no version of anything. */
function isOrdered(version: string): boolean {
  if (version === '' || version.startsWith('0')) return false;
  // No regular expression, because this is asked several times of every event.
  for (let i = 0; i < version.length; i++) {
    const code = version.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
