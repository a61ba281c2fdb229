import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../engine/bundle/compile.ts';
import { isError } from '../../engine/text/diagnostic.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { type AccessOptions, missingText, type RequiredAccess, requiredAccess, rolesFor } from './access.ts';

const BOX = 'resource: { group: example.com, version: v1, kind: Box, spec: { size: integer | default=1 } }';
const OURS = ['list,watch,get,create,patch customresourcedefinitions.apiextensions.k8s.io', 'list,watch,patch boxes.example.com'];
const STATE = [
  'get,create,patch configmaps @state',
  'get,create,update leases.coordination.k8s.io @state',
  'create,patch events.events.k8s.io',
];
const OBJECT = (kind: string, apiVersion: string, more = ''): string =>
  `{ id: one, ${more} template: { apiVersion: ${apiVersion}, kind: ${kind}, metadata: { name: "\${self.metadata.name}" } } }`;

const RBAC = 'rbac.authorization.k8s.io';
const BINDING = (id: string, role: string): string =>
  `{ id: ${id}, template: { apiVersion: ${RBAC}/v1, kind: RoleBinding, metadata: { name: "\${self.metadata.name}-${id}" }, roleRef: ${role}, subjects: [] } }`;

function accessOf(spec: string, options: AccessOptions = {}): readonly RequiredAccess[] {
  const text = `apiVersion: fairlead.dev/v1alpha1\nkind: ReconcileRule\nmetadata: { name: r }\nspec:\n${spec.replace(/^/gm, '  ')}`;
  const { program, diagnostics } = compileBundle(parseYaml({ name: 'r.yaml', text }).documents);
  const error = diagnostics.find(isError);
  if (program === undefined) throw new Error(error?.message);
  return requiredAccess(program.reconcile, () => undefined, { namespace: 'state', ...options });
}

const written = ({ verbs, resource, group, name: only, namespace }: RequiredAccess): string => {
  const [plain = '', subresource] = resource.split('/');
  const name = `${plain}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verbs.join(',')} ${name}${only === undefined ? '' : ` ${only}`}${namespace === undefined ? '' : ` @${namespace}`}`;
};

describe('what rules need to be allowed', () => {
  const WRITES = ['update boxes.example.com/finalizers'];
  const STATUS = ['patch boxes.example.com/status'];
  const ALL = 'list,watch,get,create,patch,delete';
  it.each<readonly [title: string, spec: string, needed: readonly string[]]>([
    [
      'an object of another group',
      `${BOX}\nobjects: [${OBJECT('PodDisruptionBudget', 'policy/v1')}]`,
      [...OURS, ...STATUS, ...WRITES, `${ALL} poddisruptionbudgets.policy`],
    ],
    ['a Secret that a template makes', `${BOX}\nobjects: [${OBJECT('Secret', 'v1')}]`, [...OURS, ...STATUS, ...WRITES, `${ALL} secrets`]],
    ['a generated value', `${BOX}\ngenerate: [{ id: password, random: { length: 8 } }]`, [...OURS, ...STATUS, ...WRITES, `${ALL} secrets`]],
    [
      'an object that is read',
      `${BOX}\nobjects: [{ id: one, external: { apiVersion: v1, kind: ConfigMap, name: a } }]`,
      [OURS[0]!, 'list,watch boxes.example.com', ...STATUS, 'list,watch configmaps'],
    ],
    [
      'fields of an object that is there',
      `${BOX}\nobjects: [{ id: one, patch: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: "\${self.metadata.namespace}" }, data: { a: b } } }]`,
      [...OURS, ...STATUS, 'list,watch,get,patch configmaps'],
    ],
    [
      'a call',
      `${BOX}\ncalls: [{ id: one, http: { method: POST, url: "http://localhost/" } }]`,
      [...OURS, ...STATUS, 'get,create,patch,delete secrets @state'],
    ],
    [
      'rights that are granted: by roles that are written out',
      `${BOX}\nobjects:\n- ${BINDING('a', '{ kind: ClusterRole, name: view }')}\n- ${BINDING('b', '{ kind: Role, name: box }')}\n- ${BINDING('c', '{ kind: ClusterRole, name: view }')}`,
      [...OURS, ...STATUS, ...WRITES, `${ALL} rolebindings.${RBAC}`, `bind clusterroles.${RBAC} view`, `bind roles.${RBAC} box`],
    ],
    [
      'rights that only an expression knows',
      `${BOX}\nobjects:\n- ${BINDING('a', '{ kind: ClusterRole, name: view }')}\n- ${BINDING('b', '{ kind: ClusterRole, name: "${self.metadata.name}" }')}`,
      [...OURS, ...STATUS, ...WRITES, `${ALL} rolebindings.${RBAC}`, `bind clusterroles.${RBAC}`, `bind roles.${RBAC}`],
    ],
    [
      'a role of its own',
      `${BOX}\nobjects: [${OBJECT('Role', `${RBAC}/v1`)}]`,
      [...OURS, ...STATUS, ...WRITES, `list,watch,get,create,patch,delete,escalate roles.${RBAC}`],
    ],
    [
      'objects beside those of somebody else',
      `for: { apiVersion: v1, kind: ConfigMap }\nobjects: [${OBJECT('Service', 'v1')}]`,
      [
        'list,watch customresourcedefinitions.apiextensions.k8s.io',
        'list,watch,patch configmaps',
        'update configmaps/finalizers',
        `${ALL} services`,
      ],
    ],
    [
      'a status for those of somebody else',
      `for: { apiVersion: apps/v1, kind: Deployment }\nobjects: [{ id: one, external: { apiVersion: v1, kind: ConfigMap, name: a } }]\nconditions: [{ type: Odd, expression: "true" }]`,
      [
        'list,watch customresourcedefinitions.apiextensions.k8s.io',
        'list,watch deployments.apps',
        'patch deployments.apps/status',
        'list,watch configmaps',
      ],
    ],
  ])('%s', (_title, spec, needed) => {
    expect(accessOf(spec).map(written).toSorted()).toEqual([...needed, ...STATE].toSorted());
  });

  it('is less without election, and more where rules are taken from the cluster', () => {
    const spec = `${BOX}\nobjects: [${OBJECT('PodDisruptionBudget', 'policy/v1')}]`;
    expect(accessOf(spec, { leaderElection: false }).filter(({ resource }) => resource === 'leases')).toEqual([]);
    expect(accessOf(spec, { watchRules: true }).map(written)).toContain('list,watch reconcilerules.fairlead.dev');
  });

  it('becomes a role for the cluster, and one for where the state is', () => {
    const [cluster, state, ...others] = rolesFor(accessOf(`${BOX}\nobjects: [${OBJECT('PodDisruptionBudget', 'policy/v1')}]`), 'x');
    expect(others).toEqual([]);
    expect(cluster).toMatchObject({ kind: 'ClusterRole', metadata: { name: 'x' } });
    expect(cluster?.['rules']).toContainEqual({ apiGroups: ['example.com'], resources: ['boxes/status'], verbs: ['patch'] });
    expect(state).toMatchObject({ kind: 'Role', metadata: { name: 'x', namespace: 'state' } });
  });

  it.each([
    [{ group: 'apps', resource: 'deployments', verb: 'patch', purpose: 'p' }, 'cannot patch deployments.apps in the cluster: needed for p'],
    [
      { group: '', resource: 'pods/status', verb: 'get', namespace: 'a', purpose: 'p' },
      'cannot get pods/status in namespace a: needed for p',
    ],
    [
      { group: RBAC, resource: 'clusterroles', name: 'view', verb: 'bind', purpose: 'p' },
      `cannot bind clusterroles.${RBAC} view in the cluster: needed for p`,
    ],
    [{ group: 'g.io', resource: 'boxes/status', verb: 'get', purpose: 'p' }, 'cannot get boxes.g.io/status in the cluster: needed for p'],
  ])('is named where it is missing', (missing, text) => {
    expect(missingText(missing)).toBe(text);
  });
});
