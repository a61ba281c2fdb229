import { isJsonObject, type Json, type JsonObject } from '../../engine/object/json.ts';
import { pluralOf } from '../../engine/object/plural.ts';
import type { ReconcileProgram, TouchedKind } from '../../engine/rules/reconcile/program.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { RULE_KINDS } from './cluster-rules/rule-kinds.ts';
import { DEFINITION_KIND } from './definitions.ts';

/** One thing that must be allowed. */
export interface RequiredAccess {
  readonly group: string;
  /** Plural, with its subresource: `deployments`, `myapps/status`. */
  readonly resource: string;
  /** Only the object of this name; undefined: all. */
  readonly name?: string;
  readonly verbs: readonly string[];
  /** Where it must be allowed; undefined: in the whole cluster. */
  readonly namespace?: string;
  /** Why, in words for a person. */
  readonly purpose: string;
}

/** The plural of a kind; undefined where it is not known. */
export type ResourceName = (apiVersion: string, kind: string) => string | undefined;

export interface AccessOptions {
  /** Where the controller keeps its state; default `fairlead-system`. */
  readonly namespace?: string;
  readonly leaderElection?: boolean;
  /** Whether rules are also taken from the cluster. What those need cannot be known beforehand. */
  readonly watchRules?: boolean;
}

/** What is read is only ever watched. */
const WATCH = ['list', 'watch'] as const;
/** What is written is also looked at where the watch may lag. */
const USES: Readonly<Record<TouchedKind['use'], { readonly verbs: readonly string[]; readonly word: string }>> = {
  read: { verbs: WATCH, word: 'reads' },
  patch: { verbs: [...WATCH, 'get', 'patch'], word: 'sets fields of' },
  write: { verbs: [...WATCH, 'get', 'create', 'patch', 'delete'], word: 'makes' },
};

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

/** What rules need to be allowed, no more: from what the compiler knows that they touch. */
export function requiredAccess(
  program: ReconcileProgram,
  resourceOf: ResourceName,
  options: AccessOptions = {},
): readonly RequiredAccess[] {
  const { namespace = 'fairlead-system', leaderElection = true, watchRules = false } = options;
  const found: RequiredAccess[] = [];
  const add = (apiVersion: string, kind: string, suffix: string, verbs: readonly string[], purpose: string): void => {
    const resource = resourceOf(apiVersion, kind) ?? pluralOf(kind);
    found.push({ group: groupOf(apiVersion), resource: resource + suffix, verbs, purpose });
  };
  const define = (purpose: string): void => add(DEFINITION_KIND.apiVersion, DEFINITION_KIND.kind, '', ['get', 'create', 'patch'], purpose);
  add(DEFINITION_KIND.apiVersion, DEFINITION_KIND.kind, '', WATCH, 'to see which kinds there are');
  for (const rule of program.rules) {
    const { name, instance, touches, generates } = rule;
    const { apiVersion, kind } = instance;
    if (rule.definition !== undefined) define(`rule ${name} makes ${kind}`);
    add(apiVersion, kind, '', WATCH, `instances of rule ${name}`);
    const makes = generates || rule.choosesKinds || touches.some(({ use }) => use === 'write');
    if (makes || rule.calls || touches.some(({ use }) => use === 'patch'))
      add(apiVersion, kind, '', ['patch'], `instances of rule ${name} say what exists for them`);
    if (rule.writesStatus) add(apiVersion, kind, '/status', ['patch'], `the status of instances of rule ${name}`);
    // For clusters that ask it of whoever makes the deletion of an owner wait (admission plugin OwnerReferencesPermissionEnforcement).
    if (makes) add(apiVersion, kind, '/finalizers', ['update'], `objects of rule ${name} name their instance as owner`);
    for (const touched of touches) {
      const { verbs, word } = USES[touched.use];
      add(touched.apiVersion, touched.kind, '', verbs, `rule ${name} ${word} ${touched.kind}`);
      found.push(...grantAccess(touched, name));
    }
    if (generates) add('v1', 'Secret', '', USES.write.verbs, `rule ${name} keeps what it generates`);
  }
  if (watchRules) {
    define('to make the kinds of rules, and those that rules make');
    for (const { apiVersion, kind } of RULE_KINDS) {
      add(apiVersion, kind, '', WATCH, 'rules of the cluster');
      add(apiVersion, kind, '/status', ['patch'], 'the status of rules of the cluster');
    }
  }
  const own = (group: string, resource: string, verbs: readonly string[], purpose: string): void =>
    void found.push({ group, resource, verbs, namespace, purpose });
  own('', 'configmaps', ['get', 'create', 'patch'], 'the register of rules');
  if (program.rules.some(({ calls }) => calls)) own('', 'secrets', ['get', 'create', 'patch', 'delete'], 'journals of calls');
  if (leaderElection) own('coordination.k8s.io', 'leases', ['get', 'create', 'update'], 'election of a leader');
  found.push({ group: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'], purpose: 'events about instances' });
  return merge(found);
}

const RBAC = 'rbac.authorization.k8s.io';

/** Nobody grants rights that they do not have, unless they may do that. Kubernetes: docs, "Privilege escalation prevention and bootstrapping". */
function grantAccess({ apiVersion, kind, use, binds }: TouchedKind, rule: string): readonly RequiredAccess[] {
  if (groupOf(apiVersion) !== RBAC || use === 'read') return [];
  const roles = (resource: string, verb: string, name?: string): RequiredAccess => {
    const purpose = `rule ${rule} makes ${kind}`;
    return { group: RBAC, resource, verbs: [verb], purpose, ...(name === undefined ? {} : { name }) };
  };
  if (kind === 'Role' || kind === 'ClusterRole') return [roles(pluralOf(kind), 'escalate')];
  if (binds === undefined) return [];
  if (binds === 'any') return [roles('clusterroles', 'bind'), ...(kind === 'RoleBinding' ? [roles('roles', 'bind')] : [])];
  return binds.map((role) => roles(pluralOf(role.kind), 'bind', role.name));
}

function merge(all: readonly RequiredAccess[]): readonly RequiredAccess[] {
  const byPlace = new Map<string, { verbs: Set<string>; purposes: Set<string>; access: RequiredAccess }>();
  for (const access of all) {
    const key = `${access.namespace ?? ''} ${access.group}/${access.resource} ${access.name ?? ''}`;
    const found = byPlace.get(key) ?? { verbs: new Set(), purposes: new Set(), access };
    for (const verb of access.verbs) found.verbs.add(verb);
    found.purposes.add(access.purpose);
    byPlace.set(key, found);
  }
  return [...byPlace.values()].map(({ verbs, purposes, access }) => ({ ...access, verbs: [...verbs], purpose: [...purposes].join(', ') }));
}

/** A ClusterRole, and a Role for the controller's own state, that allow exactly this. */
export function rolesFor(access: readonly RequiredAccess[], name: string): readonly JsonObject[] {
  const rule = ({ group, resource, verbs, name: only }: RequiredAccess): JsonObject => ({
    apiGroups: [group],
    resources: [resource],
    ...(only === undefined ? {} : { resourceNames: [only] }),
    verbs: [...verbs].sort(),
  });
  const roles: JsonObject[] = [];
  const clusterWide = access.filter(({ namespace }) => namespace === undefined);
  if (clusterWide.length > 0) {
    roles.push({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules: clusterWide.map(rule) });
  }
  for (const namespace of new Set(access.flatMap((each) => each.namespace ?? []))) {
    const rules = access.filter((each) => each.namespace === namespace).map(rule);
    roles.push({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace }, rules });
  }
  return roles;
}

/** Something that is needed and not allowed. */
export interface MissingAccess {
  readonly group: string;
  readonly resource: string;
  readonly name?: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly purpose: string;
}

/** `cannot patch deployments.apps in the cluster: rule myapp makes Deployment`. */
export function missingText({ group, resource, name, verb, namespace, purpose }: MissingAccess): string {
  const [plain = '', subresource] = resource.split('/');
  const full = `${plain}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const named = name === undefined ? '' : ` ${name}`;
  return `cannot ${verb} ${full}${named} in ${namespace === undefined ? 'the cluster' : `namespace ${namespace}`}: needed for ${purpose}`;
}

/** Reviews at once. */
const AT_ONCE = 8;

/** Asks the server for each verb whether we may. Rejects where the server does not say. */
export async function findMissingAccess(client: KubernetesClient, access: readonly RequiredAccess[]): Promise<readonly MissingAccess[]> {
  const questions = access.flatMap(({ verbs, ...rest }) => verbs.map((verb) => ({ ...rest, verb })));
  const missing: MissingAccess[] = [];
  for (let at = 0; at < questions.length; at += AT_ONCE) {
    const answers = await Promise.all(
      questions.slice(at, at + AT_ONCE).map(async (each) => ({ each, allowed: await isAllowed(client, each) })),
    );
    for (const { each, allowed } of answers) if (!allowed) missing.push(each);
  }
  return missing;
}

async function isAllowed(client: KubernetesClient, { group, resource, name, verb, namespace }: MissingAccess): Promise<boolean> {
  const [plain = '', subresource] = resource.split('/');
  const resourceAttributes = {
    group,
    resource: plain,
    verb,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  const { body } = await client.request({ method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body: review });
  const status = isJsonObject(body as Json) ? (body as JsonObject)['status'] : undefined;
  return isJsonObject(status as Json) && (status as JsonObject)['allowed'] === true;
}
