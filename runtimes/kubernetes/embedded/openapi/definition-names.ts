/** Definitions that are not among the API groups, by the names of the compact table. */
const ELSEWHERE: readonly (readonly [prefix: string, full: string])[] = [
  ['quantity', 'io.k8s.apimachinery.pkg.api.resource.Quantity'],
  ['int-or-string', 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'],
  ['raw', 'io.k8s.apimachinery.pkg.runtime.RawExtension'],
  ['meta.', 'io.k8s.apimachinery.pkg.apis.'],
  ['apiextensions.', 'io.k8s.apiextensions-apiserver.pkg.apis.'],
  ['apiregistration.', 'io.k8s.kube-aggregator.pkg.apis.'],
  ['version.', 'io.k8s.apimachinery.pkg.'],
];

/** `core.v1.PodSpec` → `io.k8s.api.core.v1.PodSpec`: the name under which Kubernetes publishes a definition. */
export function definitionName(name: string): string {
  for (const [prefix, full] of ELSEWHERE) {
    if (name === prefix) return full;
    if (prefix.endsWith('.') && name.startsWith(prefix)) return full + name;
  }
  return `io.k8s.api.${name}`;
}

/** `example.com`, `v1`, `App` → `com.example.v1.App`. Kubernetes: kube-openapi pkg/util ToRESTFriendlyName. */
export function customResourceName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}
