import { readField } from '../../../../engine/object/field-selector.ts';
import type { JsonObject } from '../../../../engine/object/json.ts';

type Fields = ReadonlyMap<string, (object: JsonObject) => string>;

function fields(...names: readonly string[]): Fields {
  return new Map(names.map((name) => [name, (object: JsonObject) => readField(object, name)]));
}

/** A field whose zero value shows, as Go prints it. */
function withZero(name: string, zero: string): [string, (object: JsonObject) => string] {
  return [name, (object) => readField(object, name) || zero];
}

/**
 * The fields by which objects can be selected, beside name and namespace; by `group/resource`. Kubernetes:
 * pkg/apis/<group>/<version>/conversion.go and the strategies' selectable fields.
 */
export const SELECTABLE_FIELDS: ReadonlyMap<string, Fields> = new Map<string, Fields>([
  [
    '/pods',
    new Map([
      ...fields(
        'spec.nodeName',
        'spec.restartPolicy',
        'spec.schedulerName',
        'spec.serviceAccountName',
        'status.phase',
        'status.podIP',
        'status.nominatedNodeName',
      ),
      withZero('spec.hostNetwork', 'false'),
    ]),
  ],
  ['/nodes', new Map([withZero('spec.unschedulable', 'false')])],
  ['/namespaces', fields('status.phase', 'name')],
  ['/secrets', fields('type')],
  ['/services', fields('spec.clusterIP', 'spec.type')],
  ['/replicationcontrollers', new Map([withZero('status.replicas', '0')])],
  ['apps/replicasets', new Map([withZero('status.replicas', '0')])],
  ['batch/jobs', new Map([withZero('status.successful', '0')])],
  [
    '/events',
    fields(
      'involvedObject.kind',
      'involvedObject.namespace',
      'involvedObject.name',
      'involvedObject.uid',
      'involvedObject.apiVersion',
      'involvedObject.resourceVersion',
      'involvedObject.fieldPath',
      'reason',
      'reportingComponent',
      'source',
      'type',
    ),
  ],
  ['certificates.k8s.io/certificatesigningrequests', fields('spec.signerName')],
  ['resource.k8s.io/resourceslices', fields('spec.nodeName', 'spec.driver')],
]);
