/**
 * The resource of a kind, as far as spelling tells: the plural by English rules, which is what generators of custom resources use.
 * Kubernetes: apimachinery pkg/api/meta/restmapper.go UnsafeGuessKindToResource.
 */
export function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith('endpoints')) return singular;
  if (/(?:s|x|z|ch|sh)$/.test(singular)) return `${singular}es`;
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}
