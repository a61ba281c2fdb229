import { describe, expect, it } from 'vitest';
import { isTrue } from '../control-loop/condition.ts';
import { untyped } from '../control-loop/kind.ts';
import { OUTCOME, START_DELAY } from './instructions.ts';
import {
  CONTROLLER_REVISIONS,
  CRON_JOBS,
  DAEMON_SETS,
  JOBS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from './kinds.ts';
import { podTemplate, simulatedCluster } from './simulation.fixture.ts';

type Cluster = Awaited<ReturnType<typeof simulatedCluster>>;

const podNames = (cluster: Cluster): readonly string[] => cluster.list(PODS).map(({ metadata }) => metadata.name);
const images = (cluster: Cluster): readonly (string | undefined)[] => cluster.list(PODS).map(({ spec }) => spec.containers[0]!.image);

describe('a replica set', () => {
  const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: podTemplate({ app: 'web' }) };

  it('takes over pods that nobody controls, and lets go of those that no longer match', async () => {
    const cluster = await simulatedCluster();
    const stray = await cluster.create(PODS, 'stray', { spec: podTemplate({}).spec }, { labels: { app: 'web' } });
    const set = await cluster.create(REPLICA_SETS, 'web', { spec });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toHaveLength(2);
    expect(cluster.get(PODS, 'stray')!.metadata.ownerReferences).toMatchObject([{ uid: set.metadata.uid, controller: true }]);
    await cluster.change(PODS, 'stray', (pod) => ({ ...pod, metadata: { ...(pod['metadata'] as object), labels: {} } }));
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'stray')!.metadata).toMatchObject({ uid: stray.metadata.uid, ownerReferences: [] });
    expect(podNames(cluster)).toHaveLength(3);
  });

  it('gives up pods that are not ready first', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'slow', { spec: podTemplate({}).spec }, { labels: { app: 'web' }, annotations: { [START_DELAY]: '1h' } });
    await cluster.create(REPLICA_SETS, 'web', { spec });
    await cluster.simulation.idle();
    await cluster.changeSpec(REPLICA_SETS, 'web', { replicas: 1 });
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'slow')).toBeUndefined();
    expect(cluster.get(REPLICA_SETS, 'web')!.status).toMatchObject({ replicas: 1, readyReplicas: 1 });
  });

  it('names its pods itself, whatever the template is called', async () => {
    const cluster = await simulatedCluster();
    const named = { ...spec.template, metadata: { ...spec.template.metadata, name: 'web' } };
    await cluster.create(REPLICA_SETS, 'web', { spec: { ...spec, template: named } });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toHaveLength(2);
    expect(cluster.errors).toEqual([]);
  });

  it('has an older kind that works alike', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(REPLICATION_CONTROLLERS, 'rc', { spec: { ...spec, selector: { app: 'web' } } });
    await cluster.simulation.idle();
    expect(cluster.get(REPLICATION_CONTROLLERS, 'rc')!.status).toMatchObject({ replicas: 2, readyReplicas: 2, observedGeneration: 1 });
    await cluster.remove(REPLICATION_CONTROLLERS, 'rc');
    await cluster.simulation.idle();
    expect(podNames(cluster)).toEqual([]);
  });
});

describe('a stateful set', () => {
  const spec = {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: podTemplate({ app: 'db' }),
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ],
  };

  it('makes its pods one after the other, with claims that outlive them', async () => {
    const cluster = await simulatedCluster({ pods: { startDelay: 2_000 } });
    await cluster.create(STATEFUL_SETS, 'db', { spec });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toEqual(['db-0']);
    await cluster.pass(2_000);
    expect(podNames(cluster)).toEqual(['db-0', 'db-1']);
    await cluster.pass(4_000);
    expect(cluster.get(STATEFUL_SETS, 'db')!.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
    });
    const [pod] = cluster.list(PODS);
    expect(pod!.spec).toMatchObject({
      hostname: 'db-0',
      subdomain: 'db',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }],
    });
    await cluster.changeSpec(STATEFUL_SETS, 'db', { replicas: 1 });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toEqual(['db-0']);
    expect(cluster.list(PERSISTENT_VOLUME_CLAIMS).map(({ metadata }) => metadata.name)).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
  });

  it('rolls out from the last pod to the first, down to its partition', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(STATEFUL_SETS, 'db', {
      spec: { ...spec, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
    });
    await cluster.simulation.idle();
    const before = cluster.get(STATEFUL_SETS, 'db')!.status!;
    await cluster.changeSpec(STATEFUL_SETS, 'db', { template: podTemplate({ app: 'db' }, 'web:2') });
    await cluster.simulation.idle();
    expect(images(cluster)).toEqual(['web:1', 'web:2', 'web:2']);
    expect(cluster.get(STATEFUL_SETS, 'db')!.status).toMatchObject({
      currentRevision: before.currentRevision,
      updatedReplicas: 2,
      currentReplicas: 1,
    });
    // One that is lost comes back as it was.
    await cluster.remove(PODS, 'db-0', 0);
    await cluster.simulation.idle();
    expect(images(cluster)).toEqual(['web:1', 'web:2', 'web:2']);
    await cluster.changeSpec(STATEFUL_SETS, 'db', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } });
    await cluster.simulation.idle();
    expect(images(cluster)).toEqual(['web:2', 'web:2', 'web:2']);
    const after = cluster.get(STATEFUL_SETS, 'db')!.status!;
    expect(after.currentRevision).toBe(after.updateRevision);
    expect(
      cluster
        .list(CONTROLLER_REVISIONS)
        .map(({ revision }) => revision)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('starts them all at once when told so', async () => {
    const cluster = await simulatedCluster({ pods: { startDelay: 60_000 } });
    await cluster.create(STATEFUL_SETS, 'db', { spec: { ...spec, podManagementPolicy: 'Parallel' } });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toEqual(['db-0', 'db-1', 'db-2']);
  });
});

describe('a daemon set', () => {
  const spec = { selector: { matchLabels: { app: 'agent' } }, template: podTemplate({ app: 'agent' }) };

  it('has one pod on every node that it may run on', async () => {
    const cluster = await simulatedCluster({ nodes: [{ name: 'n1' }, { name: 'n2' }, { name: 'n3', labels: { gpu: 'yes' } }] });
    await cluster.create(DAEMON_SETS, 'agent', { spec });
    await cluster.simulation.idle();
    expect(
      cluster
        .list(PODS)
        .map((pod) => pod.spec.nodeName)
        .sort(),
    ).toEqual(['n1', 'n2', 'n3']);
    expect(cluster.get(DAEMON_SETS, 'agent')!.status).toMatchObject({
      desiredNumberScheduled: 3,
      numberReady: 3,
      numberAvailable: 3,
      updatedNumberScheduled: 3,
    });
    const selecting = podTemplate({ app: 'agent' });
    await cluster.changeSpec(DAEMON_SETS, 'agent', {
      template: { ...selecting, spec: { ...selecting.spec, nodeSelector: { gpu: 'yes' } } },
    });
    await cluster.simulation.idle();
    expect(cluster.list(PODS).map((pod) => pod.spec.nodeName)).toEqual(['n3']);
    expect(cluster.get(DAEMON_SETS, 'agent')!.status).not.toHaveProperty('numberUnavailable');
  });

  it('comes to nodes that come, also to those where nothing else is placed', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DAEMON_SETS, 'agent', { spec });
    await cluster.simulation.idle();
    await cluster.create(NODES, 'n2', { spec: { unschedulable: true } }, { annotations: { 'simulation.fairlead.dev/node': '{}' } });
    await cluster.simulation.idle();
    expect(
      cluster
        .list(PODS)
        .map((pod) => pod.spec.nodeName)
        .sort(),
    ).toEqual(['n2', 'node-1']);
  });

  it('replaces its pods one by one', async () => {
    const cluster = await simulatedCluster({ nodes: [{ name: 'n1' }, { name: 'n2' }], pods: { startDelay: 2_000 } });
    await cluster.create(DAEMON_SETS, 'agent', { spec });
    await cluster.simulation.idle();
    await cluster.pass(3_000);
    await cluster.changeSpec(DAEMON_SETS, 'agent', { template: podTemplate({ app: 'agent' }, 'web:2') });
    await cluster.simulation.idle();
    expect([...images(cluster)].sort()).toEqual(['web:1', 'web:2']);
    await cluster.pass(10_000);
    expect(images(cluster)).toEqual(['web:2', 'web:2']);
  });
});

describe('a job', () => {
  const template = { ...podTemplate({}), spec: { ...podTemplate({}).spec, restartPolicy: 'Never' } };

  it('runs as many pods at once as it may until enough have succeeded', async () => {
    const cluster = await simulatedCluster({ pods: { runTime: 5_000 } });
    await cluster.create(JOBS, 'work', { spec: { parallelism: 2, completions: 3, template } });
    await cluster.simulation.idle();
    expect(cluster.get(JOBS, 'work')!.status).toMatchObject({ active: 2, ready: 2, startTime: '2026-01-01T00:00:00Z' });
    await cluster.pass(12_000);
    const { status } = cluster.get(JOBS, 'work')!;
    expect(status).toMatchObject({ succeeded: 3, completionTime: '2026-01-01T00:00:10Z' });
    expect(status).not.toHaveProperty('active');
    expect([isTrue(status?.conditions, 'SuccessCriteriaMet'), isTrue(status?.conditions, 'Complete')]).toEqual([true, true]);
    expect(podNames(cluster)).toHaveLength(3);
  });

  it('fails when its pods fail too often', async () => {
    const cluster = await simulatedCluster();
    const failing = { ...template, metadata: { annotations: { [OUTCOME]: 'fail' } } };
    await cluster.create(JOBS, 'work', { spec: { completions: 1, backoffLimit: 2, template: failing } });
    await cluster.simulation.idle();
    await cluster.pass(2_000);
    const { status } = cluster.get(JOBS, 'work')!;
    expect(status).toMatchObject({ failed: 3 });
    expect(status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({ status: 'True', reason: 'BackoffLimitExceeded' });
  });

  it('gives each completion its index', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(JOBS, 'work', { spec: { completions: 4, parallelism: 2, completionMode: 'Indexed', template } });
    await cluster.simulation.idle();
    await cluster.pass(5_000);
    expect(cluster.get(JOBS, 'work')!.status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' });
  });

  it.each([
    [{ succeededCount: 1 }, 'Complete'],
    [{ succeededIndexes: '0-1' }, 'Complete'],
    [{ succeededIndexes: '2', succeededCount: 1 }, undefined],
  ])('ends by its success policy %j', async (rule, ended) => {
    const cluster = await simulatedCluster();
    const slow = { ...template, metadata: { annotations: { [OUTCOME]: 'run' } } };
    await cluster.create(JOBS, 'work', {
      spec: { completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [rule] }, template: slow },
    });
    await cluster.simulation.idle();
    for (const pod of cluster.list(PODS).slice(0, 2))
      await cluster.registry.update(cluster.registry.find('', 'v1', 'pods')!, untyped({ ...pod, status: { phase: 'Succeeded' } }), {
        subresource: 'status',
      });
    await cluster.simulation.idle();
    const condition = cluster.get(JOBS, 'work')!.status?.conditions?.find(({ type }) => type === 'Complete');
    expect(condition?.type).toBe(ended);
    if (ended) expect(condition).toMatchObject({ reason: 'SuccessPolicy', message: 'Matched rules at index 0' });
  });

  it('has no pods while it is suspended', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(JOBS, 'work', { spec: { completions: 1, suspend: true, template } });
    await cluster.simulation.idle();
    expect(podNames(cluster)).toEqual([]);
    expect(isTrue(cluster.get(JOBS, 'work')!.status?.conditions, 'Suspended')).toBe(true);
    await cluster.changeSpec(JOBS, 'work', { suspend: false });
    await cluster.simulation.idle();
    await cluster.pass(1_000);
    expect(isTrue(cluster.get(JOBS, 'work')!.status?.conditions, 'Complete')).toBe(true);
  });

  it.each([
    [['sleep', '30'], 30_000, 'Complete'],
    [['sh', '-c', 'sleep 5; exit 3'], 5_000, 'Failed'],
    [['/bin/false'], 0, 'Failed'],
    [['true'], 0, 'Complete'],
  ])('whose pods do %j ends as that does', async (command, after, ended) => {
    const cluster = await simulatedCluster();
    const doing = { ...template, spec: { ...template.spec, containers: [{ name: 'c', command }] } };
    await cluster.create(JOBS, 'work', { spec: { completions: 1, backoffLimit: 0, template: doing } });
    await cluster.simulation.idle();
    const hasEnded = () => cluster.get(JOBS, 'work')!.status?.conditions?.some(({ type }) => type === ended) ?? false;
    if (after > 0) {
      await cluster.pass(after - 1_000);
      expect(hasEnded()).toBe(false);
    }
    await cluster.pass(2_000);
    expect(hasEnded()).toBe(true);
  });

  it('ends at its deadline', async () => {
    const cluster = await simulatedCluster({ pods: { runTime: 60_000 } });
    await cluster.create(JOBS, 'work', { spec: { completions: 1, activeDeadlineSeconds: 10, template } });
    await cluster.simulation.idle();
    await cluster.pass(11_000);
    expect(cluster.get(JOBS, 'work')!.status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
      reason: 'DeadlineExceeded',
    });
    expect(podNames(cluster)).toEqual([]);
  });

  it('goes some time after it has ended', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(JOBS, 'work', { spec: { completions: 1, ttlSecondsAfterFinished: 30, template } });
    await cluster.simulation.idle();
    await cluster.pass(20_000);
    expect(cluster.get(JOBS, 'work')).toBeDefined();
    await cluster.pass(15_000);
    expect([cluster.get(JOBS, 'work'), podNames(cluster)]).toEqual([undefined, []]);
  });
});

describe('a cron job', () => {
  const spec = { schedule: '*/10 * * * *', jobTemplate: { spec: { completions: 1, template: podTemplate({}) } } };

  it('starts a job whenever its time has come, and keeps the last few', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(CRON_JOBS, 'tick', { spec });
    await cluster.simulation.idle();
    expect(cluster.list(JOBS)).toEqual([]);
    await cluster.pass(3_600_000, 30_000);
    const minutes = Date.parse('2026-01-01T01:00:00Z') / 60_000;
    expect(cluster.list(JOBS).map(({ metadata }) => metadata.name)).toEqual([
      `tick-${minutes - 20}`,
      `tick-${minutes - 10}`,
      `tick-${minutes}`,
    ]);
    expect(cluster.get(CRON_JOBS, 'tick')!.status).toMatchObject({
      lastScheduleTime: '2026-01-01T01:00:00Z',
      lastSuccessfulTime: '2026-01-01T01:00:00Z',
    });
  });

  it.each([
    ['Allow', 3, false],
    ['Forbid', 1, false],
    ['Replace', 1, true],
  ])('with policy %s has %i jobs at once', async (concurrencyPolicy, count, replaced) => {
    const cluster = await simulatedCluster({ pods: { runTime: 3_600_000 } });
    await cluster.create(CRON_JOBS, 'tick', { spec: { ...spec, concurrencyPolicy } });
    await cluster.simulation.idle();
    await cluster.pass(600_000, 60_000);
    const first = cluster.list(JOBS)[0]!.metadata.name;
    await cluster.pass(1_200_000, 60_000);
    expect(cluster.list(JOBS)).toHaveLength(count);
    expect(cluster.list(JOBS)[0]!.metadata.name !== first).toBe(replaced);
    expect(cluster.get(CRON_JOBS, 'tick')!.status?.active).toHaveLength(count);
  });

  it('starts nothing while it is suspended', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(CRON_JOBS, 'tick', { spec: { ...spec, suspend: true } });
    await cluster.simulation.idle();
    await cluster.pass(1_200_000, 60_000);
    expect(cluster.list(JOBS)).toEqual([]);
  });
});
