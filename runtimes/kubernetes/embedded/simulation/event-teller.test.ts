import { describe, expect, it } from 'vitest';
import { type KubernetesObject, kind } from '../control-loop/kind.ts';
import { DEPLOYMENTS, JOBS, PODS } from './kinds.ts';
import { podTemplate, simulatedCluster } from './simulation.fixture.ts';

interface Event extends KubernetesObject {
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly fieldPath?: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly source: { readonly component: string };
}
const EVENTS = kind<Event>('', 'v1', 'events', 'Event');

type Cluster = Awaited<ReturnType<typeof simulatedCluster>>;
const told = (cluster: Cluster): readonly string[] =>
  cluster.list(EVENTS).map(({ involvedObject, type, reason, message, source }) => {
    const text = `${source.component}: ${type} ${reason} of ${involvedObject.kind}: ${message}`;
    return text.replace(/web-[a-z0-9]+(-[a-z0-9]+)?/g, (_, pod?: string) => (pod === undefined ? '<set>' : '<pod>'));
  });

describe('events', () => {
  it('tell what becomes of a deployment and its pods', async () => {
    const cluster = await simulatedCluster();
    const labels = { app: 'web' };
    await cluster.create(DEPLOYMENTS, 'web', { spec: { replicas: 1, selector: { matchLabels: labels }, template: podTemplate(labels) } });
    await cluster.pass(5_000);
    expect(told(cluster).toSorted()).toEqual([
      'default-scheduler: Normal Scheduled of Pod: Successfully assigned a/<pod> to node-1',
      'deployment-controller: Normal ScalingReplicaSet of Deployment: Scaled up replica set <set> from 0 to 1',
      'kubelet: Normal Started of Pod: Container started',
      'replicaset-controller: Normal SuccessfulCreate of ReplicaSet: Created pod: <pod>',
    ]);
    await cluster.changeSpec(DEPLOYMENTS, 'web', { replicas: 0 });
    await cluster.pass(60_000);
    expect(told(cluster)).toEqual(
      expect.arrayContaining([
        'deployment-controller: Normal ScalingReplicaSet of Deployment: Scaled down replica set <set> from 1 to 0',
        'kubelet: Normal Killing of Pod: Stopping container web',
      ]),
    );
    expect(cluster.errors).toEqual([]);
  });

  it('tell why a pod has no node', async () => {
    const cluster = await simulatedCluster();
    await cluster.create(PODS, 'p', { spec: { containers: [{ name: 'c' }], nodeSelector: { disk: 'fast' } } });
    await cluster.pass(1_000);
    expect(told(cluster)).toEqual([
      expect.stringMatching(/^default-scheduler: Warning FailedScheduling of Pod: 0\/1 nodes are available/) as string,
    ]);
  });

  it('tell of the end of a job', async () => {
    const cluster = await simulatedCluster();
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', command: ['true'] }] } };
    await cluster.create(JOBS, 'j', { spec: { completions: 1, parallelism: 1, backoffLimit: 1, template } });
    await cluster.pass(30_000);
    expect(told(cluster)).toContain('job-controller: Normal Completed of Job: Job completed');
  });
});
