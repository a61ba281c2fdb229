import { describe, expect, it } from 'vitest';
import { conditionOf } from '../control-loop/condition.ts';
import { OUTCOME, START_DELAY } from './instructions.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from './kinds.ts';
import { podTemplate, simulatedCluster } from './simulation.fixture.ts';

const spec = (replicas: number, image = 'web:1', more: object = {}, annotations: Readonly<Record<string, string>> = {}) => ({
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: podTemplate({ app: 'web' }, image, annotations), ...more },
});

const rolling = (maxSurge: number, maxUnavailable: number) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

describe('a deployment', () => {
  it('becomes available through a replica set and pods', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(3));
    await cluster.simulation.idle();
    const deployment = cluster.get(DEPLOYMENTS, 'web')!;
    expect(deployment.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    expect(deployment.status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    expect(deployment.status).not.toHaveProperty('unavailableReplicas');
    const [replicaSet] = cluster.list(REPLICA_SETS);
    const hash = replicaSet!.metadata.labels!['pod-template-hash'];
    expect(replicaSet!.metadata.name).toBe(`web-${hash}`);
    expect(replicaSet!.spec.selector).toEqual({ matchLabels: { app: 'web', 'pod-template-hash': hash } });
    expect(conditionOf(deployment.status?.conditions, 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "web-${hash}" has successfully progressed.`,
    });
    expect(conditionOf(deployment.status?.conditions, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    expect(cluster.list(PODS).map(({ status }) => status?.phase)).toEqual(['Running', 'Running', 'Running']);
    expect(cluster.errors).toEqual([]);
  });

  it('is left alone once all is well', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(2));
    await cluster.simulation.idle();
    const before = cluster.registry.writes.length;
    await cluster.pass(60_000, 10_000);
    await cluster.change(DEPLOYMENTS, 'web', (object) => ({
      ...object,
      metadata: { ...(object['metadata'] as object), labels: { x: 'y' } },
    }));
    await cluster.simulation.idle();
    expect(cluster.registry.writes.slice(before)).toEqual(['update apps/deployments a/web']);
  });

  it('makes few writes from nothing to available', async () => {
    const cluster = await simulatedCluster();
    const before = cluster.registry.writes.length;
    await cluster.create(DEPLOYMENTS, 'web', spec(1));
    await cluster.simulation.idle();
    const count = (what: string) => cluster.registry.writes.slice(before).filter((write) => write.startsWith(what)).length;
    expect(count('create /pods')).toBe(1);
    expect(count('update /pods')).toBe(2);
    expect(count('create apps/replicasets')).toBe(1);
    expect(count('update apps/replicasets')).toBeLessThanOrEqual(2);
    expect(count('update apps/deployments')).toBeLessThanOrEqual(4);
  });

  it('is scaled up and down', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(1));
    await cluster.simulation.idle();
    for (const replicas of [5, 2, 0]) {
      await cluster.changeSpec(DEPLOYMENTS, 'web', { replicas });
      await cluster.simulation.idle();
      expect(cluster.list(PODS)).toHaveLength(replicas);
      expect(cluster.get(DEPLOYMENTS, 'web')!.status?.replicas ?? 0).toBe(replicas);
    }
    expect(cluster.list(REPLICA_SETS)).toHaveLength(1);
  });

  it('rolls out a new template without having too few or too many pods', async () => {
    const cluster = await simulatedCluster();
    const delay = { [START_DELAY]: '2s' };
    await cluster.create(DEPLOYMENTS, 'web', spec(4, 'web:1', rolling(1, 1), delay));
    await cluster.simulation.idle();
    await cluster.pass(10_000);
    expect(cluster.get(DEPLOYMENTS, 'web')!.status?.availableReplicas).toBe(4);
    let fewest = 4;
    let most = 0;
    cluster.registry.subscribe(() => {
      const pods = cluster.list(PODS).filter((pod) => pod.metadata.deletionTimestamp === undefined);
      most = Math.max(most, pods.length);
      fewest = Math.min(fewest, pods.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length);
    });
    await cluster.changeSpec(DEPLOYMENTS, 'web', { template: podTemplate({ app: 'web' }, 'web:2', delay) });
    await cluster.simulation.idle();
    await cluster.pass(30_000);
    expect([fewest, most]).toEqual([3, 5]);
    expect(cluster.list(PODS).map((pod) => pod.spec.containers[0]!.image)).toEqual(['web:2', 'web:2', 'web:2', 'web:2']);
    expect(
      cluster
        .list(REPLICA_SETS)
        .map((each) => each.spec.replicas)
        .sort(),
    ).toEqual([0, 4]);
    expect(cluster.get(DEPLOYMENTS, 'web')!.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
  });

  it('goes back to an old replica set when its template comes back, with a new revision', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(2));
    await cluster.simulation.idle();
    const first = cluster.list(REPLICA_SETS)[0]!.metadata.name;
    for (const image of ['web:2', 'web:1']) {
      await cluster.changeSpec(DEPLOYMENTS, 'web', { template: podTemplate({ app: 'web' }, image) });
      await cluster.simulation.idle();
    }
    expect(cluster.list(REPLICA_SETS)).toHaveLength(2);
    const replicaSet = cluster.get(REPLICA_SETS, first)!;
    expect(replicaSet.spec.replicas).toBe(2);
    expect(replicaSet.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('keeps as many old replica sets as its history may have', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(1, 'web:0', { revisionHistoryLimit: 2 }));
    await cluster.simulation.idle();
    for (let i = 1; i <= 4; i++) {
      await cluster.changeSpec(DEPLOYMENTS, 'web', { template: podTemplate({ app: 'web' }, `web:${i}`) });
      await cluster.simulation.idle();
    }
    const images = cluster.list(REPLICA_SETS).map((each) => each.spec.template.spec.containers[0]!.image);
    expect(images.sort()).toEqual(['web:2', 'web:3', 'web:4']);
  });

  it('that recreates has no pods of two templates at once', async () => {
    const cluster = await simulatedCluster({ pods: { stopDelay: 3_000 } });
    await cluster.create(DEPLOYMENTS, 'web', spec(2, 'web:1', { strategy: { type: 'Recreate' } }));
    await cluster.simulation.idle();
    let mixed = false;
    cluster.registry.subscribe(() => {
      mixed ||= new Set(cluster.list(PODS).map((pod) => pod.spec.containers[0]!.image)).size > 1;
    });
    await cluster.changeSpec(DEPLOYMENTS, 'web', { template: podTemplate({ app: 'web' }, 'web:2') });
    await cluster.simulation.idle();
    await cluster.pass(10_000);
    expect(mixed).toBe(false);
    expect(cluster.list(PODS).map((pod) => pod.spec.containers[0]!.image)).toEqual(['web:2', 'web:2']);
  });

  it('says when it does not get on', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(1, 'web:1', { progressDeadlineSeconds: 30 }, { [OUTCOME]: 'unready' }));
    await cluster.simulation.idle();
    expect(cluster.get(DEPLOYMENTS, 'web')!.status).toMatchObject({ replicas: 1, unavailableReplicas: 1 });
    await cluster.pass(31_000);
    expect(conditionOf(cluster.get(DEPLOYMENTS, 'web')!.status?.conditions, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
    });
  });

  it('waits for pods to be ready as long as it says', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(1, 'web:1', { minReadySeconds: 10 }));
    await cluster.simulation.idle();
    await cluster.pass(9_000);
    expect(cluster.get(DEPLOYMENTS, 'web')!.status).toMatchObject({ readyReplicas: 1, unavailableReplicas: 1 });
    await cluster.pass(2_000);
    expect(cluster.get(DEPLOYMENTS, 'web')!.status).toMatchObject({ availableReplicas: 1 });
  });

  it('that is paused takes a new size, and no new template', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(1));
    await cluster.simulation.idle();
    await cluster.changeSpec(DEPLOYMENTS, 'web', { paused: true, replicas: 3, template: podTemplate({ app: 'web' }, 'web:2') });
    await cluster.simulation.idle();
    expect(cluster.list(PODS).map((pod) => pod.spec.containers[0]!.image)).toEqual(['web:1', 'web:1', 'web:1']);
    await cluster.changeSpec(DEPLOYMENTS, 'web', { paused: false });
    await cluster.simulation.idle();
    expect(cluster.list(PODS).map((pod) => pod.spec.containers[0]!.image)).toEqual(['web:2', 'web:2', 'web:2']);
  });

  it('takes its pods along when it is deleted', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(DEPLOYMENTS, 'web', spec(2));
    await cluster.simulation.idle();
    await cluster.remove(DEPLOYMENTS, 'web');
    await cluster.simulation.idle();
    expect([cluster.list(REPLICA_SETS), cluster.list(PODS)]).toEqual([[], []]);
  });
});
