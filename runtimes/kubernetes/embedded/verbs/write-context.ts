import { builtInTypes } from '../../../../engine/bundle/built-in-types.ts';
import type { JsonObject } from '../../../../engine/object/json.ts';
import type { ResourceDefinition, StrategyContext } from '../kinds/definition.ts';
import type { Requester } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import type { WrittenType } from './decode.ts';

/** What a write must know beside the object. */
export interface WriteContext {
  readonly requester: Requester;
  /** Whose the written fields are. */
  readonly fieldManager: string;
  readonly dryRun: boolean;
  /** `status`, `scale`, or `` for the object itself. */
  readonly subresource: string;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, for admission. */
  readonly options: JsonObject;
  readonly warn: (text: string) => void;
}

export function strategyContext(state: ServerState, namespace: string, context: WriteContext): StrategyContext {
  return {
    requester: context.requester,
    now: state.clock.now(),
    namespace,
    dryRun: context.dryRun,
    warn: context.warn,
    get: (resource, itsNamespace, name) => state.store.get(resource, itsNamespace === '' ? name : `${itsNamespace}/${name}`)?.object,
    *list(resource, itsNamespace) {
      for (const { object } of state.store.collection(resource).range(itsNamespace === '' ? '' : `${itsNamespace}/`)) yield object;
    },
    randomText: state.randomText,
    services: state.services,
  };
}

/** The group in which Kubernetes keeps the objects, and of which its validation speaks: of both kinds of events the core group. */
export function storedGroup({ storedIn }: ResourceDefinition): string {
  return storedIn.slice(0, storedIn.indexOf('/'));
}

/** The kind of what is written: for `scale` and the like not that of the resource. */
export function writtenKind(definition: ResourceDefinition, subresource: string): WrittenType {
  const found = subresource === '' ? undefined : definition.subresourceDefinitions.find(({ name }) => name === subresource);
  const { group, version, kind } = found ?? definition;
  if (group === definition.group && version === definition.version && kind === definition.kind) {
    return { group, version, kind, schema: definition.builtIn ? definition.schema : undefined };
  }
  return { group, version, kind, schema: builtInTypes([]).kind(group, version, kind) };
}
