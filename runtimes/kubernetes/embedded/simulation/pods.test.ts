import { describe, expect, it } from 'vitest';
import { conditionOf } from '../control-loop/condition.ts';
import { parseDuration } from './duration.ts';
import { OUTCOME, RUN_TIME, START_DELAY, STOP_DELAY } from './instructions.ts';
import { NODES, PODS } from './kinds.ts';
import { simulatedCluster } from './simulation.fixture.ts';

const containers = (cpu?: string) => [{ name: 'c', image: 'i', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }];

describe('a pod', () => {
  it('is placed, starts, and is ready', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'p', { spec: { containers: containers() } });
    await cluster.simulation.idle();
    const pod = cluster.get(PODS, 'p')!;
    expect(pod.spec.nodeName).toBe('node-1');
    expect(pod.status).toMatchObject({ phase: 'Running', podIP: '10.244.0.2', hostIP: '10.10.0.1', startTime: '2026-01-01T00:00:00Z' });
    expect(pod.status?.conditions?.map(({ type, status }) => `${type}=${status}`).sort()).toEqual([
      'ContainersReady=True',
      'Initialized=True',
      'PodReadyToStartContainers=True',
      'PodScheduled=True',
      'Ready=True',
    ]);
    expect(pod.status?.containerStatuses).toMatchObject([{ name: 'c', image: 'i', ready: true, restartCount: 0 }]);
  });

  it('takes the time that its annotation says', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'p', { spec: { containers: containers() } }, { annotations: { [START_DELAY]: '3s' } });
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'p')!.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
    });
    await cluster.pass(3_000);
    expect(cluster.get(PODS, 'p')!.status?.phase).toBe('Running');
  });

  it.each([
    ['succeed', 'Succeeded', 0],
    ['fail', 'Failed', 1],
  ])('told to %s is %s', async (outcome, phase, exitCode) => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'p', { spec: { containers: containers() } }, { annotations: { [OUTCOME]: outcome, [RUN_TIME]: '5s' } });
    await cluster.simulation.idle();
    await cluster.pass(4_000);
    expect(cluster.get(PODS, 'p')!.status?.phase).toBe('Running');
    await cluster.pass(1_000);
    expect(cluster.get(PODS, 'p')!.status).toMatchObject({ phase, containerStatuses: [{ state: { terminated: { exitCode } } }] });
  });

  it('that is deleted goes at once, or after the delay that its annotation says', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'p', { spec: { containers: containers() } });
    await cluster.create(PODS, 'slow', { spec: { containers: containers() } }, { annotations: { [STOP_DELAY]: '4s' } });
    await cluster.simulation.idle();
    await cluster.remove(PODS, 'p');
    await cluster.remove(PODS, 'slow');
    await cluster.simulation.idle();
    expect([cluster.get(PODS, 'p') === undefined, cluster.get(PODS, 'slow') === undefined]).toEqual([true, false]);
    await cluster.pass(4_000);
    expect(cluster.get(PODS, 'slow')).toBeUndefined();
  });

  it.each([
    ['a node selector', { nodeSelector: { disk: 'ssd' } }, "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."],
    ['requests', { containers: containers('64') }, '0/2 nodes are available: 2 Insufficient cpu.'],
  ])('that fits nowhere for its %s says so, and is placed when it fits', async (_, spec, message) => {
    const cluster = await simulatedCluster({ nodes: [{ name: 'n1' }, { name: 'n2' }] });
    await cluster.create(PODS, 'p', { spec: { containers: containers(), ...spec } });
    await cluster.simulation.idle();
    expect(conditionOf(cluster.get(PODS, 'p')!.status?.conditions, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message,
    });
    await cluster.create(
      NODES,
      'n3',
      { spec: {} },
      { labels: { disk: 'ssd' }, annotations: { 'simulation.fairlead.dev/node': '{"cpu":"128"}' } },
    );
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'p')!.spec.nodeName).toBe('n3');
    expect(conditionOf(cluster.get(PODS, 'p')!.status?.conditions, 'PodScheduled')).toMatchObject({ status: 'True' });
  });

  it('does not go to nodes with taints or without schedule, unless it tolerates them', async () => {
    const cluster = await simulatedCluster({ nodes: [] });
    await cluster.create(
      NODES,
      'tainted',
      { spec: { taints: [{ key: 'only', value: 'gpu', effect: 'NoSchedule' }] } },
      { annotations: { 'simulation.fairlead.dev/node': '' } },
    );
    await cluster.create(NODES, 'closed', { spec: { unschedulable: true } }, { annotations: { 'simulation.fairlead.dev/node': '' } });
    await cluster.create(PODS, 'plain', { spec: { containers: containers() } });
    await cluster.create(PODS, 'gpu', {
      spec: { containers: containers(), tolerations: [{ key: 'only', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }] },
    });
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'plain')!.spec.nodeName).toBeUndefined();
    expect(conditionOf(cluster.get(PODS, 'plain')!.status?.conditions, 'PodScheduled')?.message).toBe(
      '0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.',
    );
    expect(cluster.get(PODS, 'gpu')!.spec.nodeName).toBe('tainted');
  });

  it('waits for room that others take, and gets it when they go', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'first', { spec: { containers: containers('6') } });
    await cluster.create(PODS, 'second', { spec: { containers: containers('3') } });
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'second')!.spec.nodeName).toBeUndefined();
    await cluster.remove(PODS, 'first');
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'second')!.status?.phase).toBe('Running');
  });

  it('of another scheduler, or with gates, is left to others', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'other', { spec: { containers: containers(), schedulerName: 'mine' } });
    await cluster.create(PODS, 'gated', { spec: { containers: containers(), schedulingGates: [{ name: 'wait' }] } });
    await cluster.simulation.idle();
    expect(cluster.list(PODS).map(({ spec, status }) => [spec.nodeName, status])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    await cluster.changeSpec(PODS, 'other', { nodeName: 'node-1' });
    await cluster.simulation.idle();
    expect(cluster.get(PODS, 'other')!.status?.phase).toBe('Running');
  });

  it('spreads over nodes that are alike', async () => {
    const cluster = await simulatedCluster({ nodes: [{ name: 'n1' }, { name: 'n2' }] });
    for (let i = 0; i < 4; i++) await cluster.create(PODS, `p${i}`, { spec: { containers: containers() } });
    await cluster.simulation.idle();
    expect(
      cluster
        .list(PODS)
        .map(({ spec }) => spec.nodeName)
        .sort(),
    ).toEqual(['n1', 'n1', 'n2', 'n2']);
  });
});

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['2s', 2_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['', undefined],
    ['2', undefined],
    ['-1s', undefined],
  ])('reads %j as %j', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
