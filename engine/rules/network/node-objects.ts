/*
 * Objects that no API server has: what the node itself knows of its pods. Rules read them as they read others, and recordings hold them.
 */

/**
 * Devices that the kubelet has given to the containers of a pod, by the names of their resources:
 * `{ metadata: { namespace, name }, resources: { "example.com/nic": ["0000:18:02.5"] } }`, ids in the order of their text.
 */
export const POD_RESOURCES = { apiVersion: 'node.fairlead.dev/v1', kind: 'PodResources' } as const;

export function isPodResources({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean {
  return apiVersion === POD_RESOURCES.apiVersion && kind === POD_RESOURCES.kind;
}
