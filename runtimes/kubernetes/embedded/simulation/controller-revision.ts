import { isJsonObject, type Json, type JsonObject, jsonEqual } from '../../../../engine/object/json.ts';
import type { ClusterView } from '../control-loop/cluster-view.ts';
import { controllerReference, type KubernetesObject, untyped } from '../control-loop/kind.ts';
import { create, remove, update, type Write } from '../control-loop/write.ts';
import { CONTROLLER_REVISIONS, type ControllerRevision, type PodTemplate, type Selector } from './kinds.ts';
import { templateHash } from './template-hash.ts';

export const REVISION_LABEL = 'controller-revision-hash';

/** A set whose pods have a history of templates. */
type Owner = KubernetesObject & {
  readonly spec: { readonly template: PodTemplate; readonly selector?: Selector; readonly revisionHistoryLimit?: number };
};

export interface Revisions {
  /** Name of the revision of the template as it is. */
  readonly update: string;
  /** The label value of its pods; the set's name stands before it in the revision's. */
  readonly hash: string;
  readonly writes: readonly Write[];
  /** The template of another revision; undefined where it is no longer known. */
  templateOf(name: string): PodTemplate | undefined;
}

/**
 * The revisions of a set: the one of its template is made, or becomes the newest again, and those are deleted that are beyond the
 * history limit and no pod has. Kubernetes: pkg/controller/history/controller_history.go.
 */
export function revisionsOf(owner: Owner, view: ClusterView, inUse: ReadonlySet<string>): Revisions {
  const known = [...view.controlledBy(CONTROLLER_REVISIONS, owner)].sort((a, b) => a.revision - b.revision);
  const data = dataOf(owner.spec.template);
  const newest = known.at(-1)?.revision ?? 0;
  const same = known.findLast((revision) => jsonEqual(revision.data, data));
  const hash = templateHash(owner.spec.template);
  const name = same?.metadata.name ?? `${owner.metadata.name}-${hash}`;
  const writes: Write[] = [];
  // One that goes gets no revision again: the garbage collector would delete it, and so on for ever.
  if (same === undefined && owner.metadata.deletionTimestamp === undefined) {
    const { namespace } = owner.metadata;
    const labels = { ...owner.spec.template.metadata?.labels, [REVISION_LABEL]: hash };
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels, ownerReferences: [controllerReference(owner)] };
    writes.push(create(CONTROLLER_REVISIONS, { metadata, data, revision: newest + 1 }));
  } else if (same !== undefined && same.revision < newest)
    writes.push(update(CONTROLLER_REVISIONS, { ...same, revision: newest + 1 } as ControllerRevision));
  const old = known.filter((each) => each !== same && !inUse.has(each.metadata.name));
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  for (const each of old.slice(0, Math.max(0, old.length - limit))) writes.push(remove(CONTROLLER_REVISIONS, each));
  return {
    update: name,
    hash: name.slice(owner.metadata.name.length + 1),
    writes,
    templateOf: (wanted) => templateIn(known.find(({ metadata }) => metadata.name === wanted)),
  };
}

/** With sorted keys: clients compare the bytes. Kubernetes: pkg/controller/daemon/update.go getPatch. */
const dataOf = (template: PodTemplate): JsonObject => ({ spec: { template: sorted({ ...untyped(template), $patch: 'replace' }) } });

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key]!)]),
  );
}

function templateIn(revision: ControllerRevision | undefined): PodTemplate | undefined {
  const template = (revision?.data['spec'] as JsonObject | undefined)?.['template'] as JsonObject | undefined;
  if (template === undefined) return undefined;
  const { $patch: _, ...rest } = template;
  return rest as unknown as PodTemplate;
}
