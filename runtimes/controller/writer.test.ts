import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './cluster.fixture.ts';
import { createWriter, UnknownKind, WritingStopped } from './writer.ts';

describe('writes to the cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.close());
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'a' } };
  const place = { namespace: 'default', name: 'a' };

  it('end when another leads, all of them; reading and dry runs go on', async () => {
    let stopped: string | undefined = 'another leads';
    const counted: string[] = [];
    const writer = createWriter({
      client: cluster.client,
      stopped: () => stopped,
      onWrite: (verb, outcome) => counted.push(`${verb} ${outcome}`),
    });
    for (const write of [
      () => writer.create(object),
      () => writer.apply(object, { fieldManager: 'x' }),
      () => writer.patch('v1', 'ConfigMap', place, 'merge', {}),
      () => writer.delete('v1', 'ConfigMap', place, {}),
    ])
      await expect(write()).rejects.toThrow(WritingStopped);
    expect(await writer.get('v1', 'ConfigMap', place)).toBeNull();
    await writer.create(object, { dryRun: true });
    expect(await writer.get('v1', 'ConfigMap', place)).toBeNull();
    stopped = undefined;
    await writer.create(object);
    await expect(writer.create(object)).rejects.toThrow('already exists');
    expect(counted).toEqual(['create ok', 'create ok', 'create error']);
  });

  it('of a kind that is not served say what to do', async () => {
    const writer = createWriter({ client: cluster.client, stopped: () => undefined });
    const unknown = writer.create({ apiVersion: 'example.com/v1', kind: 'Nothing', metadata: { name: 'a' } });
    await expect(unknown).rejects.toThrow(UnknownKind);
    await expect(unknown).rejects.toThrow('the server does not know Nothing in example.com/v1; install its CustomResourceDefinition');
  });
});
