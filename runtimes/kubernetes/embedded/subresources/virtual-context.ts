import type { VirtualRequest } from '../hooks.ts';
import type { WriteContext } from '../verbs/write-context.ts';

/** A write to the object behind a virtual subresource, as the one who asked. */
export function virtualContext({ requester, dryRun, warn }: VirtualRequest, subresource: string): WriteContext {
  const options = { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}) };
  return { requester, fieldManager: requester.username, dryRun, subresource, options, warn };
}
