import { ApiError } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';

/** Makes a namespace where it is missing. Where that is not allowed, what is to be written into it will tell. */
export async function ensureNamespace(client: KubernetesClient, name: string): Promise<void> {
  const type = await client.discovery.resourceOf('v1', 'Namespace');
  if (type === null) throw new Error('the server serves no namespaces');
  const namespaces = client.resource(type);
  try {
    if ((await namespaces.get({ name })) !== null) return;
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    if (!(error instanceof ApiError) || (error.reason !== 'AlreadyExists' && error.status !== 403)) throw error;
  }
}
