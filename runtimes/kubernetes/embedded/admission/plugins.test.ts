import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../engine/object/json.ts';
import { manualClock } from '../../../host/clock.ts';
import { clusterView } from '../control-loop/cluster-view.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { AdmissionAttributes } from '../hooks.ts';
import type { ServedResource } from '../registry.ts';
import { type AdmissionPlugin, admissionChain } from './chain.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { priority } from './priority.ts';
import { quotaController, resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';

const PODS = served('v1', 'pods', 'Pod');
const NAMESPACES = served('v1', 'namespaces', 'Namespace', false);
const CLAIMS = served('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');
const SERVICES = served('v1', 'services', 'Service');
const DEPLOYMENTS = served('apps/v1', 'deployments', 'Deployment');
const PRIORITY_CLASSES = served('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', false);
const STORAGE_CLASSES = served('storage.k8s.io/v1', 'storageclasses', 'StorageClass', false);
const LIMIT_RANGES = served('v1', 'limitranges', 'LimitRange');
const SERVICE_ACCOUNTS = served('v1', 'serviceaccounts', 'ServiceAccount');
const QUOTAS = served('v1', 'resourcequotas', 'ResourceQuota');

const cluster = () =>
  memoryRegistry({
    resources: [
      PODS,
      NAMESPACES,
      CLAIMS,
      CONFIG_MAPS,
      SERVICES,
      DEPLOYMENTS,
      PRIORITY_CLASSES,
      STORAGE_CLASSES,
      LIMIT_RANGES,
      QUOTAS,
      SERVICE_ACCOUNTS,
    ],
  });

function attributes(type: ServedResource, object: object | null, more: Partial<AdmissionAttributes> = {}): AdmissionAttributes {
  return {
    operation: 'CREATE',
    type,
    subresource: '',
    kind: { group: type.group, version: type.version, kind: type.kind },
    namespace: type.namespaced ? 'a' : '',
    name: 'x',
    object: object === null ? null : untyped(object),
    old: null,
    requester: { username: 'jane', groups: [] },
    options: {},
    dryRun: false,
    warn: () => {},
    ...more,
  };
}

const mutated = async (plugin: AdmissionPlugin, asked: AdmissionAttributes): Promise<JsonObject | null> =>
  admissionChain([plugin]).mutate(asked);
const refused = (plugin: AdmissionPlugin, asked: AdmissionAttributes): Promise<void> => admissionChain([plugin]).validate(asked);

const pod = (resources: object = {}, more: object = {}) => ({
  metadata: { name: 'x', namespace: 'a' },
  spec: { containers: [{ name: 'c', resources }], ...more },
});

describe('admissionChain', () => {
  it('runs once more what came before a change, and no more than that', async () => {
    const rounds: string[] = [];
    const count = (name: string, asks: boolean): AdmissionPlugin => ({
      name,
      mutate({ object }, { round, reinvoke }) {
        rounds.push(`${name}${round}`);
        if (asks) reinvoke();
        return { ...object, [name]: round };
      },
    });
    const chain = admissionChain([count('first', false), count('second', true)]);
    expect(await chain.mutate(attributes(PODS, {}))).toEqual({ first: 1, second: 1 });
    expect(rounds).toEqual(['first0', 'second0', 'first1', 'second1']);
  });
});

describe('namespaceLifecycle', () => {
  it('keeps the namespaces that a cluster needs', async () => {
    const deletion = { operation: 'DELETE', name: 'default' } as const;
    await expect(refused(namespaceLifecycle, attributes(NAMESPACES, null, deletion))).rejects.toThrow(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
    await refused(namespaceLifecycle, attributes(NAMESPACES, null, { ...deletion, name: 'mine' }));
  });
});

describe('serviceAccount', () => {
  const accounts = async () => {
    const registry = cluster();
    await registry.create(SERVICE_ACCOUNTS, untyped({ metadata: { name: 'robot', namespace: 'a' }, imagePullSecrets: [{ name: 'pull' }] }));
    await registry.create(SERVICE_ACCOUNTS, untyped({ metadata: { name: 'mute', namespace: 'a' }, automountServiceAccountToken: false }));
    return serviceAccount(registry, (length) => 'x'.repeat(length));
  };
  const mount = (name: string) => ({ name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' });

  it.each([
    [{}, 'default'],
    [{ serviceAccountName: 'robot' }, 'robot'],
    [{ serviceAccount: 'robot' }, 'robot'],
  ])('of a pod with %j is %s', async (spec, name) => {
    expect(await mutated(await accounts(), attributes(PODS, { spec }))).toMatchObject({
      spec: { serviceAccountName: name, serviceAccount: name },
    });
  });

  it('mounts its token in containers that have nothing else there', async () => {
    const containers = [{ name: 'a' }, { name: 'b', volumeMounts: [mount('mine')] }];
    const spec = { containers, initContainers: [{ name: 'c', volumeMounts: [{ name: 'd', mountPath: '/d' }] }], volumes: [{ name: 'd' }] };
    expect(await mutated(await accounts(), attributes(PODS, { spec }))).toMatchObject({
      spec: {
        containers: [{ name: 'a', volumeMounts: [mount('kube-api-access-xxxxx')] }, containers[1]],
        initContainers: [{ name: 'c', volumeMounts: [{ name: 'd' }, mount('kube-api-access-xxxxx')] }],
        volumes: [{ name: 'd' }, { name: 'kube-api-access-xxxxx', projected: { defaultMode: 420 } }],
      },
    });
  });

  it.each<readonly [string, object]>([
    ['the pod', { automountServiceAccountToken: false }],
    ['the account', { serviceAccountName: 'mute' }],
  ])('mounts nothing where %s says so', async (_, spec) => {
    const pod = await mutated(await accounts(), attributes(PODS, { spec: { ...spec, containers: [{ name: 'a' }] } }));
    expect(pod).toMatchObject({ spec: { containers: [{ name: 'a' }] } });
    expect(pod).not.toHaveProperty('spec.volumes');
  });

  it('gives the secrets for images, unless the pod has its own', async () => {
    const plugin = await accounts();
    const secrets = async (spec: object) =>
      (await mutated(plugin, attributes(PODS, { spec: { serviceAccountName: 'robot', ...spec } })))?.['spec'];
    expect(await secrets({})).toMatchObject({ imagePullSecrets: [{ name: 'pull' }] });
    expect(await secrets({ imagePullSecrets: [{ name: 'mine' }] })).toMatchObject({ imagePullSecrets: [{ name: 'mine' }] });
  });

  it('must be there', async () => {
    await expect(mutated(await accounts(), attributes(PODS, { spec: { serviceAccountName: 'none' } }))).rejects.toThrow(
      'pods "x" is forbidden: error looking up service account a/none: serviceaccount "none" not found',
    );
  });
});

describe('priority', () => {
  const classes = async () => {
    const registry = cluster();
    await registry.create(PRIORITY_CLASSES, untyped({ metadata: { name: 'high' }, value: 100, preemptionPolicy: 'Never' }));
    return registry;
  };

  it('is that of the class', async () => {
    const plugin = priority(await classes());
    expect(await mutated(plugin, attributes(PODS, { spec: { priorityClassName: 'high' } }))).toMatchObject({
      spec: { priority: 100, preemptionPolicy: 'Never' },
    });
    expect(await mutated(plugin, attributes(PODS, { spec: {} }))).toMatchObject({
      spec: { priority: 0, preemptionPolicy: 'PreemptLowerPriority' },
    });
    await expect(mutated(plugin, attributes(PODS, pod({}, { priorityClassName: 'none' })))).rejects.toThrow(
      'pods "x" is forbidden: no PriorityClass with name none was found',
    );
  });

  it('has one default at most', async () => {
    const registry = await classes();
    await registry.create(PRIORITY_CLASSES, untyped({ metadata: { name: 'usual' }, value: 5, globalDefault: true }));
    const plugin = priority(registry);
    expect(await mutated(plugin, attributes(PODS, { spec: {} }))).toMatchObject({ spec: { priority: 5, priorityClassName: 'usual' } });
    await expect(refused(plugin, attributes(PRIORITY_CLASSES, { globalDefault: true }))).rejects.toThrow(
      'PriorityClass usual is already marked as default',
    );
  });
});

describe('defaultStorageClass', () => {
  it('is given to claims that name none', async () => {
    const registry = cluster();
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await registry.create(STORAGE_CLASSES, untyped({ metadata: { name: 'standard', annotations } }));
    const plugin = defaultStorageClass(registry);
    expect(await mutated(plugin, attributes(CLAIMS, { spec: {} }))).toEqual({ spec: { storageClassName: 'standard' } });
    expect(await mutated(plugin, attributes(CLAIMS, { spec: { storageClassName: '' } }))).toEqual({ spec: { storageClassName: '' } });
  });
});

describe('limitRanger', () => {
  const ranger = async (...limits: object[]) => {
    const registry = cluster();
    await registry.create(LIMIT_RANGES, untyped({ metadata: { name: 'limits', namespace: 'a' }, spec: { limits } }));
    return limitRanger(registry);
  };

  it('gives containers what they do not say, and notes it', async () => {
    const plugin = await ranger({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '100m' } });
    expect(await mutated(plugin, attributes(PODS, pod({ limits: { memory: '2Gi' } })))).toMatchObject({
      metadata: {
        annotations: { 'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu request for container c; cpu limit for container c' },
      },
      spec: { containers: [{ resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '2Gi' } } }] },
    });
  });

  it.each<[object, object, string]>([
    [
      { type: 'Container', min: { cpu: '100m' } },
      { requests: { cpu: '50m' } },
      'minimum cpu usage per Container is 100m, but request is 50m',
    ],
    [{ type: 'Container', min: { cpu: '100m' } }, {}, 'minimum cpu usage per Container is 100m.  No request is specified'],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      { limits: { memory: '2Gi' } },
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [{ type: 'Container', max: { memory: '1Gi' } }, {}, 'maximum memory usage per Container is 1Gi.  No limit is specified'],
    [{ type: 'Pod', max: { cpu: '1' } }, { limits: { cpu: '2' } }, 'maximum cpu usage per Pod is 1, but limit is 2'],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '1' }, limits: { cpu: '3' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      { type: 'Container', min: { cpu: '1' }, max: { cpu: '2' } },
      {},
      '[minimum cpu usage per Container is 1.  No request is specified, maximum cpu usage per Container is 2.  No limit is specified]',
    ],
  ])('of %j refuses %j', async (limit, resources, message) => {
    const plugin = await ranger(limit);
    await expect(refused(plugin, attributes(PODS, pod(resources)))).rejects.toThrow(`pods "x" is forbidden: ${message}`);
  });

  it('looks at claims', async () => {
    const plugin = await ranger({ type: 'PersistentVolumeClaim', max: { storage: '5Gi' } });
    const claim = (storage: string) => attributes(CLAIMS, { metadata: { name: 'x' }, spec: { resources: { requests: { storage } } } });
    await refused(plugin, claim('5Gi'));
    await expect(refused(plugin, claim('6Gi'))).rejects.toThrow(
      'maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi',
    );
  });
});

describe('resourceQuota', () => {
  const quota = async (hard: object, more: object = {}) => {
    const registry = cluster();
    await registry.create(QUOTAS, untyped({ metadata: { name: 'q', namespace: 'a' }, spec: { hard, ...more } }));
    return registry;
  };

  it.each<[object, ServedResource, object, string]>([
    [{ pods: '1' }, PODS, pod(), 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'],
    [
      { 'requests.cpu': '1', memory: '1Gi' },
      PODS,
      pod({ requests: { cpu: '600m', memory: '100Mi' } }),
      'exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    ],
    [{ 'count/deployments.apps': 1 }, DEPLOYMENTS, { spec: {} }, 'requested: count/deployments.apps=1, used: count/deployments.apps=1'],
    [
      { 'services.nodeports': 1 },
      SERVICES,
      { spec: { type: 'NodePort', ports: [{ port: 80 }] } },
      'requested: services.nodeports=1, used: services.nodeports=1',
    ],
    [
      { 'fast.storageclass.storage.k8s.io/requests.storage': '3Gi' },
      CLAIMS,
      { spec: { storageClassName: 'fast', resources: { requests: { storage: '2Gi' } } } },
      'requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi',
    ],
  ])('of %j refuses a second one', async (hard, type, object, message) => {
    const registry = await quota(hard);
    const plugin = resourceQuota(registry);
    await refused(plugin, attributes(type, object));
    await registry.create(type, untyped({ ...object, metadata: { name: 'first', namespace: 'a' } }));
    await expect(refused(plugin, attributes(type, object))).rejects.toThrow(message);
  });

  it('wants to know what pods ask for where it limits that', async () => {
    const plugin = resourceQuota(await quota({ 'limits.memory': '1Gi', 'requests.cpu': 1 }));
    await expect(refused(plugin, attributes(PODS, pod()))).rejects.toThrow(
      'pods "x" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    );
  });

  it('counts what an update adds', async () => {
    const registry = await quota({ 'requests.storage': '3Gi' });
    const claim = (storage: string) => ({ metadata: { name: 'x', namespace: 'a' }, spec: { resources: { requests: { storage } } } });
    const old = await registry.create(CLAIMS, untyped(claim('2Gi')));
    const plugin = resourceQuota(registry);
    await refused(plugin, attributes(CLAIMS, claim('3Gi'), { operation: 'UPDATE', old }));
    await expect(refused(plugin, attributes(CLAIMS, claim('4Gi'), { operation: 'UPDATE', old }))).rejects.toThrow(
      'requested: requests.storage=2Gi',
    );
  });

  it('is about the pods of its scope only', async () => {
    const registry = await quota({ pods: 0 }, { scopes: ['BestEffort'] });
    const plugin = resourceQuota(registry);
    await expect(refused(plugin, attributes(PODS, pod()))).rejects.toThrow('exceeded quota');
    await refused(plugin, attributes(PODS, pod({ requests: { cpu: '1' } })));
  });

  it('shows in its status what is used, as it changes', async () => {
    const registry = await quota({ pods: '5', 'requests.cpu': '2', configmaps: 3 });
    const clock = manualClock();
    const loop = runControlLoop({
      registry,
      clock,
      controllers: [quotaController(registry, clusterView(registry, clock.now))],
    });
    await registry.create(PODS, untyped({ ...pod({ requests: { cpu: '250m' } }), metadata: { name: 'p', namespace: 'a' } }));
    await registry.create(
      PODS,
      untyped({ ...pod({ requests: { cpu: '500m' } }), metadata: { name: 'done', namespace: 'a' }, status: { phase: 'Succeeded' } }),
    );
    await loop.idle();
    const status = () => registry.get(QUOTAS, { namespace: 'a', name: 'q' })!['status'];
    expect(status()).toEqual({
      hard: { pods: '5', 'requests.cpu': '2', configmaps: 3 },
      used: { configmaps: '0', pods: '1', 'requests.cpu': '250m' },
    });
    await registry.delete(PODS, { namespace: 'a', name: 'p' });
    await loop.idle();
    expect(status()).toMatchObject({ used: { pods: '0', 'requests.cpu': '0' } });
  });
});
