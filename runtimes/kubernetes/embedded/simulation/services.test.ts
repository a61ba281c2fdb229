import { describe, expect, it } from 'vitest';
import { OUTCOME } from './instructions.ts';
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  HORIZONTAL_POD_AUTOSCALERS,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STORAGE_CLASSES,
} from './kinds.ts';
import { SIMULATED_PROVISIONER } from './persistent-volume-claim.ts';
import { podTemplate, simulatedCluster } from './simulation.fixture.ts';

type Cluster = Awaited<ReturnType<typeof simulatedCluster>>;

const pod = (cluster: Cluster, name: string, annotations: object = {}) =>
  cluster.create(
    PODS,
    name,
    { spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }] } },
    { labels: { app: 'web' }, annotations },
  );

describe('a service', () => {
  const spec = { selector: { app: 'web' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] };

  it('has the addresses of its pods, ready or not', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(SERVICES, 'web', { spec });
    await pod(cluster, 'one');
    await pod(cluster, 'two', { [OUTCOME]: 'unready' });
    await cluster.simulation.idle();
    const [slice] = cluster.list(ENDPOINT_SLICES);
    expect(slice).toMatchObject({ addressType: 'IPv4', ports: [{ name: 'web', port: 8080, protocol: 'TCP' }] });
    expect(slice!.metadata.labels).toEqual({
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice!.endpoints).toMatchObject([
      { targetRef: { name: 'one' }, conditions: { ready: true, serving: true, terminating: false }, nodeName: 'node-1' },
      { targetRef: { name: 'two' }, conditions: { ready: false, serving: false, terminating: false } },
    ]);
    expect(cluster.get(ENDPOINTS, 'web')!.subsets).toMatchObject([
      {
        addresses: [{ targetRef: { name: 'one' } }],
        notReadyAddresses: [{ targetRef: { name: 'two' } }],
        ports: [{ name: 'web', port: 8080 }],
      },
    ]);
  });

  it('follows its pods as they go, and takes its addresses along', async () => {
    const cluster = await simulatedCluster();
    await pod(cluster, 'one');
    await cluster.create(SERVICES, 'web', { spec });
    await cluster.simulation.idle();
    await cluster.remove(PODS, 'one');
    await cluster.simulation.idle();
    expect(cluster.list(ENDPOINT_SLICES)).toMatchObject([{ endpoints: [], ports: [] }]);
    expect(cluster.get(ENDPOINTS, 'web')!.subsets).toEqual([]);
    await cluster.remove(SERVICES, 'web');
    await cluster.simulation.idle();
    expect([cluster.list(ENDPOINT_SLICES), cluster.list(ENDPOINTS)]).toEqual([[], []]);
  });

  it('writes nothing when a pod changes that has nothing to do with it', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(SERVICES, 'web', { spec });
    await pod(cluster, 'one');
    await cluster.simulation.idle();
    const before = cluster.registry.writes.length;
    await cluster.create(PODS, 'other', { spec: podTemplate({}).spec });
    await cluster.simulation.idle();
    expect(cluster.registry.writes.slice(before).filter((write) => !/ \/(?:pods|events) /.test(write))).toEqual([]);
  });

  it('splits many addresses over slices', async () => {
    const cluster = await simulatedCluster({ nodes: [{ name: 'big', capacity: { cpu: 1000, memory: '1Ti', pods: 500 } }] });
    await cluster.create(SERVICES, 'web', { spec });
    for (let i = 0; i < 150; i++) await pod(cluster, `p${i}`);
    await cluster.simulation.idle();
    expect(
      cluster
        .list(ENDPOINT_SLICES)
        .map(({ endpoints }) => endpoints?.length)
        .sort(),
    ).toEqual([100, 50]);
    const addresses = cluster.list(PODS).map(({ status }) => status?.podIP);
    expect(new Set(addresses).size).toBe(150);
  });
});

describe('a pod disruption budget', () => {
  it.each([
    [{ minAvailable: 2 }, 2, 1],
    [{ minAvailable: '100%' }, 3, 0],
    [{ maxUnavailable: 1 }, 2, 1],
    [{ maxUnavailable: '30%' }, 2, 1],
  ])('of %j wants %i healthy pods and allows %i disruptions', async (budget, desiredHealthy, disruptionsAllowed) => {
    const cluster = await simulatedCluster();
    const selector = { matchLabels: { app: 'web' } };
    await cluster.create(REPLICA_SETS, 'web', { spec: { replicas: 3, selector, template: podTemplate({ app: 'web' }) } });
    await cluster.create(POD_DISRUPTION_BUDGETS, 'web', { spec: { ...budget, selector } });
    await cluster.simulation.idle();
    expect(cluster.get(POD_DISRUPTION_BUDGETS, 'web')!.status).toMatchObject({
      expectedPods: 3,
      currentHealthy: 3,
      desiredHealthy,
      disruptionsAllowed,
      observedGeneration: 1,
      conditions: [{ type: 'DisruptionAllowed', status: disruptionsAllowed > 0 ? 'True' : 'False' }],
    });
  });
});

describe('an autoscaler', () => {
  it('reports the replicas of its target', async () => {
    const cluster = await simulatedCluster();
    const selector = { matchLabels: { app: 'web' } };
    await cluster.create(REPLICA_SETS, 'web', { spec: { replicas: 2, selector, template: podTemplate({ app: 'web' }) } });
    await cluster.create(HORIZONTAL_POD_AUTOSCALERS, 'web', {
      spec: { scaleTargetRef: { kind: 'ReplicaSet', name: 'web' }, maxReplicas: 5 },
    });
    await cluster.simulation.idle();
    expect(cluster.get(HORIZONTAL_POD_AUTOSCALERS, 'web')!.status).toMatchObject({ currentReplicas: 2, desiredReplicas: 2 });
  });

  it.each([
    { from: 1, to: 2 },
    { from: 9, to: 5 },
    { from: 0, to: 0 },
  ])('brings $from replicas within its bounds', async ({ from, to }) => {
    const cluster = await simulatedCluster();
    const selector = { matchLabels: { app: 'web' } };
    await cluster.create(REPLICA_SETS, 'web', { spec: { replicas: from, selector, template: podTemplate({ app: 'web' }) } });
    await cluster.create(HORIZONTAL_POD_AUTOSCALERS, 'web', {
      spec: { scaleTargetRef: { kind: 'ReplicaSet', name: 'web' }, minReplicas: 2, maxReplicas: 5 },
    });
    await cluster.simulation.idle();
    expect(cluster.get(REPLICA_SETS, 'web')!.spec.replicas).toBe(to);
  });
});

describe('a claim', () => {
  const claim = (storageClassName: string, storage = '1Gi') => ({
    spec: { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  const storageClass = (volumeBindingMode: string, provisioner = SIMULATED_PROVISIONER) => ({
    provisioner,
    reclaimPolicy: 'Delete',
    volumeBindingMode,
  });
  const volume = (storage: string) => ({
    spec: { storageClassName: 'manual', accessModes: ['ReadWriteOnce'], capacity: { storage }, persistentVolumeReclaimPolicy: 'Retain' },
  });

  it('gets a volume that is made for it, and deleted with it', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(STORAGE_CLASSES, 'standard', storageClass('Immediate'));
    const { metadata } = await cluster.create(PERSISTENT_VOLUME_CLAIMS, 'data', claim('standard'));
    await cluster.simulation.idle();
    const name = `pvc-${metadata.uid}`;
    expect(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'data')).toMatchObject({
      spec: { volumeName: name },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
    });
    expect(cluster.get(PERSISTENT_VOLUMES, name)!.status).toEqual({ phase: 'Bound' });
    await cluster.remove(PERSISTENT_VOLUME_CLAIMS, 'data');
    await cluster.simulation.idle();
    expect(cluster.list(PERSISTENT_VOLUMES)).toEqual([]);
  });

  it('waits for a pod that uses it where its class says so', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(STORAGE_CLASSES, 'lazy', storageClass('WaitForFirstConsumer'));
    await cluster.create(PERSISTENT_VOLUME_CLAIMS, 'data', claim('lazy'));
    await cluster.simulation.idle();
    expect(cluster.list(PERSISTENT_VOLUMES)).toEqual([]);
    const spec = { containers: [{ name: 'c' }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] };
    await cluster.create(PODS, 'user', { spec });
    await cluster.simulation.idle();
    expect(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'data')!.status).toMatchObject({ phase: 'Bound' });
  });

  it('leaves the classes of other provisioners to them', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(STORAGE_CLASSES, 'other', storageClass('Immediate', 'csi.example.com'));
    await cluster.create(PERSISTENT_VOLUME_CLAIMS, 'data', claim('other'));
    await cluster.simulation.idle();
    expect(cluster.list(PERSISTENT_VOLUMES)).toEqual([]);
  });

  it('takes the smallest volume that will do, which stays when the claim goes', async () => {
    const cluster = await simulatedCluster();
    for (const [name, size] of [
      ['big', '10Gi'],
      ['fits', '2Gi'],
      ['small', '500Mi'],
    ] as const)
      await cluster.create(PERSISTENT_VOLUMES, name, volume(size));
    await cluster.create(PERSISTENT_VOLUME_CLAIMS, 'data', claim('manual'));
    await cluster.simulation.idle();
    expect(cluster.get(PERSISTENT_VOLUME_CLAIMS, 'data')!.spec.volumeName).toBe('fits');
    await cluster.remove(PERSISTENT_VOLUME_CLAIMS, 'data');
    await cluster.simulation.idle();
    expect(cluster.list(PERSISTENT_VOLUMES).map(({ metadata, status }) => [metadata.name, status?.phase])).toEqual([
      ['big', 'Available'],
      ['fits', 'Released'],
      ['small', 'Available'],
    ]);
  });
});
