import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import type { ServedResource } from '../registry.ts';
import { StatusError } from '../status-error.ts';
import { admissionChain } from './chain.ts';
import { mutatingPolicies, policyValidation, validatingPolicies } from './policies.ts';
import { PolicySet } from './policy-set.ts';
import { policyStatusController } from './policy-status.ts';
import { registryFacts } from './registry-facts.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const VAP = served(GROUP, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', false);
const VAPB = served(GROUP, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', false);
const MAP = served(GROUP, 'mutatingadmissionpolicies', 'MutatingAdmissionPolicy', false);
const MAPB = served(GROUP, 'mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding', false);
const NAMESPACES = served('v1', 'namespaces', 'Namespace', false);
const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');
const DEPLOYMENTS = served('apps/v1', 'deployments', 'Deployment');

const matchConstraints = (resource = 'deployments', group = 'apps') => ({
  matchConstraints: {
    resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
  },
});

async function cluster() {
  const registry = memoryRegistry({ resources: [VAP, VAPB, MAP, MAPB, NAMESPACES, CONFIG_MAPS, DEPLOYMENTS] });
  const policies = new PolicySet(registry);
  const facts = registryFacts(registry, undefined);
  const chain = admissionChain([
    mutatingPolicies(policies, facts, () => 'u'),
    policyValidation(policies),
    validatingPolicies(policies, facts, () => 'u'),
  ]);
  await registry.create(NAMESPACES, untyped({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', labels: { team: 'red' } } }));
  const create = (type: ServedResource, name: string, spec: object) =>
    registry.create(
      type,
      untyped({ apiVersion: GROUP, kind: type.kind, metadata: { name, managedFields: [{ manager: 'kubectl' }] }, spec }),
    );
  const deployment = (replicas: number, more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
    operation: 'CREATE',
    type: DEPLOYMENTS,
    subresource: '',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    namespace: 'a',
    name: 'web',
    object: untyped({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'a' }, spec: { replicas } }),
    old: null,
    requester: { username: 'jane', groups: [] },
    options: {},
    dryRun: false,
    warn: () => {},
    ...more,
  });
  return { registry, policies, chain, create, deployment };
}

describe('validatingPolicies', () => {
  const spec = { ...matchConstraints(), failurePolicy: 'Fail', validations: [{ expression: 'object.spec.replicas < 3' }] };

  it('deny in the words of the API server, as soon as they are bound', async () => {
    const { chain, create, deployment } = await cluster();
    await create(VAP, 'few', spec);
    await chain.validate(deployment(5));
    await create(VAPB, 'few-everywhere', { policyName: 'few', validationActions: ['Deny'] });
    await chain.validate(deployment(2));
    const message =
      "ValidatingAdmissionPolicy 'few' with binding 'few-everywhere' denied request: failed expression: object.spec.replicas < 3";
    const error = await chain.validate(deployment(5)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StatusError);
    expect(error).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: `deployments.apps "web" is forbidden: ${message}`,
      details: { name: 'web', group: 'apps', kind: 'deployments', causes: [{ message }] },
    });
  });

  it('warn where the binding says so', async () => {
    const { chain, create, deployment } = await cluster();
    await create(VAP, 'few', spec);
    await create(VAPB, 'b', { policyName: 'few', validationActions: ['Warn'] });
    const warnings: string[] = [];
    await chain.validate(deployment(5, { warn: (text) => warnings.push(text) }));
    expect(warnings).toEqual([
      "Validation failed for ValidatingAdmissionPolicy 'few' with binding 'b': failed expression: object.spec.replicas < 3",
    ]);
  });

  it('know parameters and namespaces', async () => {
    const { registry, chain, create, deployment } = await cluster();
    const expression = "object.spec.replicas < int(params.data.max) && namespaceObject.metadata.labels.team == 'red'";
    await create(VAP, 'few', { ...matchConstraints(), paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression }] });
    const paramRef = { name: 'limits', namespace: 'a', parameterNotFoundAction: 'Deny' };
    await create(VAPB, 'b', { policyName: 'few', paramRef, validationActions: ['Deny'] });
    await expect(chain.validate(deployment(1))).rejects.toThrow('failed to configure binding');
    await registry.create(
      CONFIG_MAPS,
      untyped({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'limits', namespace: 'a' }, data: { max: '4' } }),
    );
    await chain.validate(deployment(3));
    await expect(chain.validate(deployment(4))).rejects.toThrow('denied request');
  });

  it('leave out what is broken, and go on with the others', async () => {
    const { chain, create, deployment } = await cluster();
    await create(VAP, 'broken', { ...matchConstraints(), validations: [{ expression: 'object.spec.' }] });
    await create(VAPB, 'broken', { policyName: 'broken', validationActions: ['Deny'] });
    await create(VAP, 'few', spec);
    await create(VAPB, 'few', { policyName: 'few', validationActions: ['Deny'] });
    await chain.validate(deployment(1));
    await expect(chain.validate(deployment(5))).rejects.toThrow("'few'");
  });
});

describe('mutatingPolicies', () => {
  it('change the object', async () => {
    const { chain, create, deployment } = await cluster();
    const mutations = [
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: "Object{metadata: Object.metadata{labels: {'seen': 'yes'}}}" } },
    ];
    await create(MAP, 'label', { ...matchConstraints(), reinvocationPolicy: 'Never', mutations });
    await create(MAPB, 'b', { policyName: 'label' });
    expect(await chain.mutate(deployment(1))).toMatchObject({ metadata: { labels: { seen: 'yes' } }, spec: { replicas: 1 } });
  });
});

describe('policyValidation', () => {
  it('refuses policies that do not compile', async () => {
    const { chain, deployment } = await cluster();
    const object = untyped({
      apiVersion: GROUP,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'p' },
      spec: { ...matchConstraints(), validations: [{ expression: 'nothing > 1' }] },
    });
    const error = await chain
      .validate(deployment(0, { type: VAP, kind: { ...deployment(0).kind, kind: VAP.kind }, name: 'p', object }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 422, reason: 'Invalid', details: { causes: [{ field: 'spec.validations[0].expression' }] } });
    expect(String(error)).toContain("undeclared reference to 'nothing'");
  });
});

describe('policyStatusController', () => {
  it('says what type checking found', async () => {
    const { registry, policies, create } = await cluster();
    const clock = manualClock();
    const loop = runControlLoop({
      registry,
      clock,
      controllers: [policyStatusController(registry, clusterView(registry, clock.now), policies)],
    });
    await create(VAP, 'fine', { ...matchConstraints(), validations: [{ expression: 'object.spec.replicas > 1' }] });
    await create(VAP, 'confused', { ...matchConstraints(), validations: [{ expression: "object.spec.replicas > '1'" }] });
    await loop.idle();
    expect(registry.get(VAP, { name: 'fine' })!['status']).toEqual({ observedGeneration: 1, typeChecking: {} });
    expect(registry.get(VAP, { name: 'confused' })!['status']).toEqual({
      observedGeneration: 1,
      typeChecking: {
        expressionWarnings: [
          {
            fieldRef: 'spec.validations[0].expression',
            warning: "apps/v1, Kind=Deployment: ERROR: <input>: found no matching overload for '_>_' applied to '(int, string)'",
          },
        ],
      },
    });
  });
});
