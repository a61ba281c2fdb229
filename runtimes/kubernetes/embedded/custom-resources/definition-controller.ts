import { type JsonObject, jsonEqual, ownValue } from '../../../../engine/object/json.ts';
import { metadataText } from '../../../../engine/object/metadata.ts';
import { isTrue } from '../control-loop/condition.ts';
import type { Controller, SyncAgain } from '../control-loop/control-loop.ts';
import type { ResourceDefinition } from '../kinds/definition.ts';
import type { ObjectEvent, Registry, ServedResource } from '../registry.ts';
import type { ServerState } from '../server-state.ts';
import { finalizersOf, isBeingDeleted, withMetadata } from '../verbs/object-metadata.ts';
import { type DefinitionDocument, readDefinition } from './definition-document.ts';
import { conditionsOf, withDecidedStatus, withTerminating } from './definition-status.ts';
import { CLEANUP_FINALIZER } from './definition-strategy.ts';
import { servedVersions } from './served-versions.ts';

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
/** Milliseconds between looks at objects that take their time to go. */
const CLEANUP_INTERVAL = 200;

/**
 * Serves what CustomResourceDefinitions define: decides on their names, registers their versions before it says that they are
 * established, and clears away their objects before they go. Its keys are names of definitions. Kubernetes:
 * apiextensions-apiserver pkg/controller/{status,establish,finalizer}.
 */
export function customResourceController(state: ServerState, registry: Registry): Controller {
  const served = new Map<string, Served>();

  const all = (): DefinitionDocument[] =>
    Array.from(state.store.collection(DEFINITIONS).objects.values(), ({ object }) => readDefinition(object));

  const othersOf = ({ group, name }: DefinitionDocument): DefinitionDocument[] =>
    all().filter((other) => other.group === group && other.name !== name);

  function unserve(name: string): void {
    const known = served.get(name);
    if (known === undefined) return;
    served.delete(name);
    for (const version of known.versions) state.catalog.unregister(known.group, version, known.resource);
  }

  /** Brings the catalog up to date with a definition whose names are accepted. */
  function serve(definition: DefinitionDocument): void {
    const { name, group, object } = definition;
    const spec = ownValue(object, 'spec');
    const isTerminating = isBeingDeleted(object);
    const known = served.get(name);
    const names = definition.acceptedNames;
    const same = known !== undefined && jsonEqual(known.spec, spec) && jsonEqual(known.names, { ...names });
    if (same && known.isTerminating === isTerminating) return;
    // What is only on its way out stays what it is to those who watch it.
    const definitions = same ? known.definitions : servedVersions(definition);
    const versions = definitions.map((version) => (isTerminating ? { ...version, verbs: TERMINATING_VERBS } : version));
    for (const version of known?.versions ?? []) {
      if (!versions.some((each) => each.version === version)) state.catalog.unregister(group, version, known?.resource ?? names.plural);
    }
    state.catalog.register(...versions);
    const entry = { group, resource: names.plural, versions: versions.map(({ version }) => version), definitions };
    served.set(name, { ...entry, spec, names: { ...names }, isTerminating });
  }

  async function sync(name: string): Promise<SyncAgain> {
    const stored = state.store.get(DEFINITIONS, name)?.object;
    if (stored === undefined) {
      unserve(name);
      return undefined;
    }
    const type = definitionsType(registry);
    const now = state.clock.now();
    if (isBeingDeleted(stored)) return cleanUp(type, stored, now);
    const decided = withDecidedStatus(stored, othersOf(readDefinition(stored)), now);
    const definition = readDefinition(decided);
    if (isTrue(conditionsOf(decided), 'Established')) serve(definition);
    if (decided !== stored) await registry.update(type, decided, { subresource: 'status', fieldManager: FIELD_MANAGER });
    return undefined;
  }

  async function cleanUp(type: ServedResource, stored: JsonObject, now: number): Promise<SyncAgain> {
    if (!finalizersOf(stored).includes(CLEANUP_FINALIZER)) return undefined;
    const definition = readDefinition(stored);
    const write = (object: JsonObject): Promise<JsonObject> =>
      registry.update(type, object, { subresource: 'status', fieldManager: FIELD_MANAGER });
    const finish = (object: JsonObject): Promise<JsonObject> => write(withMetadata(object, { finalizers: withoutCleanup(object) }));
    if (!isTrue(conditionsOf(stored), 'Established')) {
      await finish(
        withTerminating(stored, { status: 'False', reason: 'NeverEstablished', message: 'resource was never established' }, now),
      );
      return undefined;
    }
    serve(definition);
    const left = await deleteInstances(state, registry, definition);
    if (left > 0) {
      const progress = withTerminating(stored, IN_PROGRESS, now);
      if (progress !== stored) await write(progress);
      return { after: CLEANUP_INTERVAL };
    }
    await finish(withTerminating(stored, COMPLETED, now));
    return undefined;
  }

  return {
    name: 'custom-resource-definitions',
    watches: ['*'],
    // One after the other: what a definition may be called depends on those that came before.
    workers: 1,
    *keys({ type, resource, object }: ObjectEvent) {
      if (resource !== DEFINITIONS) {
        // The last object of a resource that is to go.
        const slash = resource.indexOf('/');
        const name = `${resource.slice(slash + 1)}.${resource.slice(0, slash)}`;
        if (type === 'DELETED' && served.get(name)?.isTerminating) yield name;
        return;
      }
      yield metadataText(object, 'name');
      // Names that it had may be free now.
      for (const other of othersOf(readDefinition(object))) if (!isTrue(conditionsOf(other.object), 'NamesAccepted')) yield other.name;
    },
    *initial() {
      for (const { name } of all()) yield name;
    },
    sync,
  };
}

interface Served {
  readonly group: string;
  readonly resource: string;
  readonly versions: readonly string[];
  readonly definitions: readonly ResourceDefinition[];
  readonly spec: JsonObject[string] | undefined;
  readonly names: JsonObject;
  readonly isTerminating: boolean;
}

const FIELD_MANAGER = 'kube-apiserver';
/** What is left of the verbs while a resource goes: nothing new comes. */
const TERMINATING_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const IN_PROGRESS = { status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' } as const;
const COMPLETED = { status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' } as const;

function definitionsType(registry: Registry): ServedResource {
  const type = registry.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  if (type === undefined) throw new Error('this server does not serve CustomResourceDefinitions');
  return type;
}

function withoutCleanup(object: JsonObject): readonly string[] | undefined {
  const left = finalizersOf(object).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
  return left.length === 0 ? undefined : left;
}

/** Deletes the objects of a resource, and answers how many still wait for something. */
async function deleteInstances(
  state: ServerState,
  registry: Registry,
  { group, acceptedNames, versions }: DefinitionDocument,
): Promise<number> {
  const collection = state.store.collection(`${group}/${acceptedNames.plural}`);
  const type = versions.flatMap(({ name }) => registry.find(group, name, acceptedNames.plural) ?? [])[0];
  for (const { key, namespace, name, object, revision } of [...collection.objects.values()]) {
    if (type === undefined) state.store.remove(collection.resource, key, object, revision);
    else if (!isBeingDeleted(object)) await registry.delete(type, { namespace, name });
  }
  return collection.objects.size;
}
