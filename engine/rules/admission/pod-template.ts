import type { Ast } from '../../cel/ast.ts';
import { rebase } from '../../cel/rewrite/rebase.ts';

/** Where a controller keeps its pod template. */
export interface TemplatePlace {
  /** Fields from the object to the template: `spec.template`, `spec.jobTemplate.spec.template`. */
  readonly template: readonly string[];
}

export const CONTROLLER_TEMPLATE: TemplatePlace = { template: ['spec', 'template'] };
export const CRON_JOB_TEMPLATE: TemplatePlace = { template: ['spec', 'jobTemplate', 'spec', 'template'] };

/** Controllers by where their template is, in Kubernetes' own groups. */
export const TEMPLATE_RESOURCES: readonly {
  readonly place: TemplatePlace;
  readonly group: string;
  readonly version: string;
  readonly resources: Readonly<Record<string, string>>;
}[] = [
  {
    place: CONTROLLER_TEMPLATE,
    group: 'apps',
    version: 'v1',
    resources: { deployments: 'Deployment', statefulsets: 'StatefulSet', daemonsets: 'DaemonSet', replicasets: 'ReplicaSet' },
  },
  { place: CONTROLLER_TEMPLATE, group: 'batch', version: 'v1', resources: { jobs: 'Job' } },
  { place: CONTROLLER_TEMPLATE, group: '', version: 'v1', resources: { replicationcontrollers: 'ReplicationController' } },
  { place: CRON_JOB_TEMPLATE, group: 'batch', version: 'v1', resources: { cronjobs: 'CronJob' } },
];

/**
 * Fields of the metadata that a pod has and its template does not. An expression that asks for them means the request's own
 * object.
 */
export const OWN_METADATA: ReadonlySet<string> = new Set([
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'managedFields',
]);

/**
 * Rewrites an expression about a pod to one about the pod template of a controller: `object.spec` becomes
 * `object.spec.template.spec`, `object.metadata` the template's metadata. It works on the tree: strings, fields of other
 * things that are called the same, and loop variables named `object` are left alone. `object` as a whole stays the object
 * of the request.
 */
export function rewriteForTemplate(ast: Ast, { template }: TemplatePlace, ownMetadata: ReadonlySet<string> = OWN_METADATA): Ast {
  return rebase(
    ast,
    ['object', 'oldObject'],
    [
      { from: ['spec'], to: [...template, 'spec'] },
      // `object.metadata.name`: the field decides whose metadata is meant.
      { from: ['metadata'], to: [...template, 'metadata'], except: ownMetadata },
    ],
  );
}
