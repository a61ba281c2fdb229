import { type AdmissionCase, constraints, createConfigMap, type RequestDraft, rule, single, vap } from '../case.ts';
import { deployment } from './matching.ts';

/** What a rule sees of a request, told by the message of its denial. */
const SEEN: Readonly<Record<string, string>> = {
  kind: 'request.kind.group + "/" + request.kind.version + " " + request.kind.kind',
  resource: 'request.resource.group + "/" + request.resource.version + " " + request.resource.resource',
  subresource: '"sub:" + request.subResource',
  requestKind: 'request.requestKind.kind + " " + request.requestResource.resource',
  'request subresource': '"sub:" + request.requestSubResource',
  name: '"name:" + request.name',
  namespace: '"namespace:" + request.namespace',
  operation: 'request.operation',
  user: 'request.userInfo.username + " " + request.userInfo.groups.join(",")',
  'extra of the user': 'string("conformance-request" in request.userInfo.extra)',
  'dry run': 'string(request.dryRun)',
  options: 'request.options.kind + " " + string(has(request.options.dryRun))',
  'fields of options': 'request.options.map(k, k).sort().join(",")',
  'has object': 'string(object != null) + string(oldObject != null)',
  'has namespace object': 'string(namespaceObject != null)',
  'namespace of object':
    'namespaceObject == null ? "none" : namespaceObject.metadata.name + namespaceObject.?metadata.?labels["env"].orValue("") + string(has(namespaceObject.metadata.annotations))',
  'fields of the namespace':
    'namespaceObject == null ? "none" : string(has(namespaceObject.metadata.uid)) + string(has(namespaceObject.metadata.generation)) + string(has(namespaceObject.status.phase)) + string(has(namespaceObject.spec.finalizers)) + string(has(namespaceObject.metadata.resourceVersion))',
  'fields of metadata': 'object == null ? "none" : object.metadata.map(k, k).sort().join(",")',
  'fields of old metadata': 'oldObject == null ? "none" : oldObject.metadata.map(k, k).sort().join(",")',
  'fields of spec': 'object == null || !has(object.spec) ? "none" : object.spec.map(k, k).sort().join(",")',
  'api version': 'object == null ? "none" : object.apiVersion + " " + object.kind',
  'has request object': 'string(has(request.object)) + string(has(request.oldObject))',
  'fields of the request': 'request.map(k, k).sort().join(",")',
  'uid is there': 'string(has(request.uid))',
  params: 'string(params == null)',
  'type of the object': 'string(type(object) == map) + string(type(request.dryRun) == bool)',
};

const configMaps: readonly RequestDraft[] = [
  createConfigMap({ a: '1' }),
  createConfigMap({ a: '1' }, { generateName: 'generated-' }, { name: 'generated' }),
  {
    name: 'update',
    resource: 'configmaps',
    verb: 'update',
    stored: { data: { a: '0' } },
    object: { data: { a: '1' } },
    query: { fieldManager: 'me' },
  },
  { name: 'patch', resource: 'configmaps', verb: 'patch', stored: { data: { a: '0' } }, object: { data: { a: '1' } } },
  { name: 'delete', resource: 'configmaps', verb: 'delete', stored: { data: { a: '0' } } },
];
const deployments: readonly RequestDraft[] = [
  { name: 'create deployment', resource: 'deployments', verb: 'create', object: deployment },
  { name: 'scale', resource: 'deployments', verb: 'patch', subresource: 'scale', stored: deployment, object: { spec: { replicas: 5 } } },
  {
    name: 'status',
    resource: 'deployments',
    verb: 'patch',
    subresource: 'status',
    stored: deployment,
    object: { status: { observedGeneration: 7 } },
  },
];
const widgets: readonly RequestDraft[] = [
  {
    name: 'create widget',
    resource: 'widgets',
    verb: 'create',
    object: { spec: { size: 1, ratio: 2, any: { a: 1.5, b: 3, c: [1, 'x'] } } },
  },
];
const everything = constraints(
  rule('configmaps', ['*']),
  { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments', 'deployments/*'] },
  rule('widgets', ['*']),
);

/** The variables of an expression, over verbs, subresources and kinds. */
export const requestCases: readonly AdmissionCase[] = [
  ...Object.entries(SEEN).map(([name, messageExpression]) =>
    single(
      `request/${name}`,
      vap([{ expression: 'false', messageExpression }], { matchConstraints: everything }),
      [...configMaps, ...deployments, ...widgets],
      { namespace: { labels: { env: 'test' }, annotations: { note: 'x' } } },
    ),
  ),
  single(
    'request/cluster-scoped',
    vap(
      [
        {
          expression: 'false',
          messageExpression:
            'string(namespaceObject == null) + request.?namespace.orValue("absent") + string(has(object.metadata.namespace))',
        },
      ],
      {
        matchConstraints: constraints(rule('clusterroles', ['*'])),
      },
    ),
    { name: 'create', resource: 'clusterroles', verb: 'create', object: { rules: [] } },
    { clusterScoped: true },
  ),
  single(
    'request/a Namespace',
    vap(
      [
        {
          expression: 'false',
          messageExpression: 'string(namespaceObject == null) + "/" + request.?namespace.orValue("absent") + "/" + request.name',
        },
      ],
      {
        matchConstraints: constraints(rule('namespaces', ['*'])),
      },
    ),
    { name: 'create', resource: 'namespaces', verb: 'create', object: { metadata: { labels: { case: '$NS' } } } },
  ),
  single(
    'request/deny exec',
    vap(
      [
        {
          expression: 'object.command.size() > 5',
          messageExpression: 'request.name + " " + request.subResource + " " + object.kind + " " + object.command.join(" ")',
        },
      ],
      {
        matchConstraints: constraints(rule('pods', ['CONNECT'], 'exec')),
      },
    ),
    {
      name: 'exec',
      resource: 'pods',
      verb: 'connect',
      subresource: 'exec',
      stored: { spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } },
      query: { command: 'sh', stdin: 'true', container: 'c' },
    },
  ),
];
