import { type AdmissionCase, apply, constraints, type Draft, jsonPatch, map, type RequestDraft, single, vap } from '../case.ts';
import { deployment } from './matching.ts';

const pod = { spec: { containers: [{ name: 'c', image: 'registry.example/c:1' }] } };

function rules(apiGroups: readonly string[], resources: readonly string[], operations: readonly string[] = ['*']): Draft {
  return constraints({ apiGroups, apiVersions: ['v1'], operations, resources, scope: 'Namespaced' });
}

const onPod = (
  name: string,
  subresource: string,
  verb: RequestDraft['verb'],
  object?: Draft,
  query?: Readonly<Record<string, string>>,
): RequestDraft => ({
  name,
  resource: 'pods',
  verb,
  subresource,
  stored: pod,
  ...(object ? { object } : {}),
  ...(query ? { query } : {}),
});

const requests: readonly RequestDraft[] = [
  onPod('eviction', 'eviction', 'create', { apiVersion: 'policy/v1', kind: 'Eviction' }),
  onPod('binding', 'binding', 'create', { apiVersion: 'v1', kind: 'Binding', target: { kind: 'Node', name: 'n' } }),
  onPod('status', 'status', 'patch', { status: { phase: 'Running' } }),
  onPod('ephemeral containers', 'ephemeralcontainers', 'patch', {
    spec: { ephemeralContainers: [{ name: 'debug', image: 'registry.example/d:1' }] },
  }),
  onPod('exec', 'exec', 'connect', undefined, { command: 'sh', container: 'c', stdin: 'true' }),
  onPod('attach', 'attach', 'connect', undefined, { container: 'c', tty: 'true' }),
  onPod('port forward', 'portforward', 'connect', undefined, { ports: '80' }),
  onPod('proxy', 'proxy', 'connect', undefined, { path: '/x' }),
  { name: 'delete', resource: 'pods', verb: 'delete', stored: pod, query: { gracePeriodSeconds: '5', propagationPolicy: 'Background' } },
  {
    name: 'token',
    resource: 'serviceaccounts',
    verb: 'create',
    subresource: 'token',
    stored: {},
    object: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['a'] } },
  },
  { name: 'scale', resource: 'deployments', verb: 'patch', subresource: 'scale', stored: deployment, object: { spec: { replicas: 4 } } },
  { name: 'service proxy', resource: 'services', verb: 'connect', subresource: 'proxy', stored: { spec: { ports: [{ port: 80 }] } } },
  {
    name: 'service status',
    resource: 'services',
    verb: 'patch',
    subresource: 'status',
    stored: { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
    object: { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } },
  },
];

/** What a policy is told of a request on a subresource. */
const SEEN: Readonly<Record<string, string>> = {
  request: '"%s %s %s/%s %s".format([request.operation, request.kind.kind, request.resource.resource, request.subResource, request.name])',
  object: '"%s %s".format([object == null ? "none" : object.kind + " " + object.apiVersion, oldObject == null ? "none" : oldObject.kind])',
  options: '"%s %s".format([request.options.?kind.orValue("none"), request.options.?gracePeriodSeconds.orValue(-1)])',
  fields: 'object == null ? "none" : object.map(k, k).sort().join(",")',
  'fields of spec': 'object == null || !has(object.spec) ? "none" : object.spec.map(k, k).sort().join(",")',
};

const everything = rules(['', 'apps'], ['*/*']);

const scale: RequestDraft = {
  name: 'scale',
  resource: 'deployments',
  verb: 'patch',
  subresource: 'scale',
  stored: deployment,
  object: { spec: { replicas: 4 } },
};
const status: RequestDraft = {
  name: 'status',
  resource: 'widgets',
  verb: 'patch',
  subresource: 'status',
  stored: { spec: { size: 1 } },
  object: { status: { phase: 'x' } },
};

/** Requests on subresources, and mutations of them. */
export const subresourceCases: readonly AdmissionCase[] = [
  ...Object.entries(SEEN).map(([name, messageExpression]) =>
    single(`subresource/${name}`, vap([{ expression: 'false', messageExpression }], { matchConstraints: everything }), requests),
  ),
  single('subresource/of a type that is not expected', vap(['object.spec.replicas < 4'], { matchConstraints: everything }), requests),
  single(
    'subresource/mutate the eviction',
    map([apply('Object{deleteOptions: Object.deleteOptions{gracePeriodSeconds: 7}}')], {
      matchConstraints: rules([''], ['pods/eviction'], ['CREATE']),
    }),
    requests.slice(0, 2),
  ),
  single(
    'subresource/mutate the binding',
    map([apply('Object{metadata: Object.metadata{annotations: {"a": "b"}}}')], {
      matchConstraints: rules([''], ['pods/binding'], ['CREATE']),
    }),
    requests.slice(0, 2),
  ),
  single(
    'subresource/error in the exec options',
    map([jsonPatch('[JSONPatch{op: "remove", path: "/nope"}]')], { matchConstraints: rules([''], ['pods/exec'], ['CONNECT']) }),
    requests.slice(4, 5),
  ),
  single(
    'subresource/error in the scale',
    map([apply('Object{spec: Object.spec{nope: 3}}')], { matchConstraints: rules(['apps'], ['deployments/scale'], ['UPDATE']) }),
    scale,
  ),
  single(
    'subresource/error in a status',
    map([apply('Object{status: Object.status{nope: "y"}}')], {
      matchConstraints: rules(['conformance.example'], ['widgets/status'], ['UPDATE']),
    }),
    status,
  ),
  single(
    'subresource/error in the token request',
    map([apply('Object{spec: Object.spec{expirationSeconds: 900}}')], {
      matchConstraints: rules([''], ['serviceaccounts/token'], ['CREATE']),
    }),
    requests.slice(9, 10),
  ),
  single(
    'subresource/apply to the exec options',
    map([apply('Object{stdin: false}')], { matchConstraints: rules([''], ['pods/exec'], ['CONNECT']) }),
    requests.slice(4, 5),
  ),
  single(
    'subresource/patch the scale',
    map([jsonPatch('[JSONPatch{op: "replace", path: "/spec/replicas", value: 3}]')], {
      matchConstraints: rules(['apps'], ['deployments/scale'], ['UPDATE']),
    }),
    scale,
  ),
];
