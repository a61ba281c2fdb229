import { type AdmissionCase, createConfigMap, single, vap } from '../case.ts';

/** May create config maps in any namespace and get the pods of one, by the role and binding below. */
const bob = { user: 'bob', groups: ['conformance:writers'] };

const CHECKS: Readonly<Record<string, string>> = {
  'resource check allowed': 'authorizer.group("").resource("pods").namespace("default").check("create").allowed()',
  'resource check of another namespace': 'authorizer.group("").resource("secrets").namespace("kube-system").check("get").allowed()',
  'own namespace': 'authorizer.group("").resource("configmaps").namespace(request.namespace).check("create").allowed()',
  'by name': 'authorizer.group("").resource("configmaps").namespace(request.namespace).name("only").check("delete").allowed()',
  'by another name': 'authorizer.group("").resource("configmaps").namespace(request.namespace).name("else").check("delete").allowed()',
  subresource:
    'authorizer.group("apps").resource("deployments").subresource("scale").namespace(request.namespace).check("update").allowed()',
  'main resource of a granted subresource':
    'authorizer.group("apps").resource("deployments").namespace(request.namespace).check("update").allowed()',
  path: 'authorizer.path("/healthz").check("get").allowed()',
  'path not granted': 'authorizer.path("/metrics").check("get").allowed()',
  'request resource': 'authorizer.requestResource.check("create").allowed()',
  'request resource, custom verb': 'authorizer.requestResource.check("approve").allowed()',
  'service account':
    'authorizer.serviceAccount("default", "default").group("").resource("pods").namespace("default").check("get").allowed()',
  errored: 'authorizer.group("").resource("pods").namespace("default").check("get").errored()',
  'error text': 'authorizer.group("").resource("pods").namespace("default").check("get").error() != ""',
  reason: 'authorizer.group("").resource("pods").namespace("nowhere").check("create").reason() == "x"',
  'field selector':
    'authorizer.group("").resource("pods").namespace(request.namespace).fieldSelector("spec.nodeName=n").check("list").allowed()',
  'field selector that does not parse':
    'authorizer.group("").resource("pods").namespace(request.namespace).fieldSelector("a=(").check("list").allowed()',
  'label selector': 'authorizer.group("").resource("pods").namespace(request.namespace).labelSelector("a in (b)").check("list").allowed()',
  'label selector that does not parse':
    'authorizer.group("").resource("pods").namespace(request.namespace).labelSelector("a in (").check("list").allowed()',
  'in a variable': 'variables.check.allowed()',
};

const rules = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update'] },
  { apiGroups: [''], resources: ['configmaps'], resourceNames: ['only'], verbs: ['delete'] },
  { apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['update'] },
];

/** Questions to the authorizer, as the admin and as a user with few rights. */
export const authorizerCases: readonly AdmissionCase[] = Object.entries(CHECKS).map(([name, expression]) =>
  single(
    `authorizer/${name}`,
    vap([{ expression, message: 'not allowed' }], {
      variables: [{ name: 'check', expression: 'authorizer.group("").resource("secrets").namespace(request.namespace).check("get")' }],
    }),
    [createConfigMap({ a: '1' }, {}, { name: 'as admin' }), createConfigMap({ a: '1' }, {}, { name: 'as bob', as: bob })],
    {
      objects: [
        { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'writer' }, rules },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'writers' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'conformance:writers' }],
        },
      ],
    },
  ),
);
