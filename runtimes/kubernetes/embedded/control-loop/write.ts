import type { ObjectName } from '../../client.ts';
import type { Registry, RegistryWrite, ServedResource } from '../registry.ts';
import { StatusError } from '../status-error.ts';
import { type Kind, type KubernetesObject, type ObjectMeta, servedKind, untyped } from './kind.ts';

/** An object that is not stored yet. */
export interface NewObject {
  readonly metadata: Partial<ObjectMeta>;
  readonly [field: string]: unknown;
}

/** What a controller decided to write: a value, so that a decision can be tested without a server. */
export type Write =
  | { readonly verb: 'create'; readonly kind: Kind; readonly object: NewObject }
  /** Of the version that was read: another write in between is a conflict, and the decision is made again. */
  | { readonly verb: 'update'; readonly kind: Kind; readonly object: KubernetesObject; readonly subresource?: string }
  | {
      readonly verb: 'delete';
      readonly kind: Kind;
      readonly name: ObjectName;
      readonly uid: string;
      readonly gracePeriodSeconds?: number;
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
    };

export const create = (kind: Kind, object: NewObject): Write => ({ verb: 'create', kind, object });
export const update = (kind: Kind, object: KubernetesObject): Write => ({ verb: 'update', kind, object });
export const updateStatus = (kind: Kind, object: KubernetesObject): Write => ({ verb: 'update', kind, object, subresource: 'status' });

export function remove(kind: Kind, object: KubernetesObject, gracePeriodSeconds?: number): Write {
  const { namespace, name, uid } = object.metadata;
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  return { verb: 'delete', kind, name: { namespace, name }, uid, propagationPolicy: 'Background', ...grace };
}

/** The writes in their order. Throws what the registry throws; what is gone already needs no deletion. */
export async function perform(registry: Registry, writes: readonly Write[], fieldManager: string): Promise<void> {
  for (const write of writes) {
    const resource = servedKind(registry, write.kind);
    if (resource === undefined) throw new Error(`${write.kind.resource} of ${write.kind.group || 'the core group'} are not served here`);
    await performOne(registry, resource, write, fieldManager);
  }
}

async function performOne(registry: Registry, resource: ServedResource, write: Write, fieldManager: string): Promise<void> {
  switch (write.verb) {
    case 'create': {
      const { group, version, kind } = write.kind;
      const apiVersion = group === '' ? version : `${group}/${version}`;
      await registry.create(resource, untyped({ apiVersion, kind, ...write.object }), { fieldManager });
      return;
    }
    case 'update': {
      const options: RegistryWrite = write.subresource === undefined ? { fieldManager } : { fieldManager, subresource: write.subresource };
      await registry.update(resource, untyped(write.object), options);
      return;
    }
    case 'delete': {
      const { name, uid, gracePeriodSeconds, propagationPolicy } = write;
      try {
        await registry.delete(resource, name, {
          fieldManager,
          preconditions: { uid },
          ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
          ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
        });
      } catch (error) {
        // Somebody else has deleted it, and perhaps made another of that name.
        const reason = reasonOf(error);
        if (reason !== 'NotFound' && reason !== 'Conflict') throw error;
      }
    }
  }
}

/** `reason` of the Status with which the registry said no; undefined for any other error. */
export const reasonOf = (error: unknown): string | undefined => (error instanceof StatusError ? error.reason : undefined);
