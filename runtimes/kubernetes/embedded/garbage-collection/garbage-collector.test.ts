import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import type { ResourceType } from '../../client.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { type KubernetesObject, type OwnerReference, typed, untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import { garbageCollector } from './garbage-collector.ts';

const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');
const NODES = served('v1', 'nodes', 'Node', false);
const WIDGETS = served('example.com/v1', 'widgets', 'Widget');

function cluster() {
  const clock = manualClock();
  const registry = memoryRegistry({ resources: [CONFIG_MAPS, NODES, WIDGETS] });
  const start = () => {
    return runControlLoop({
      registry,
      clock,
      controllers: [garbageCollector(registry)],
      onError: (_, key, error) => {
        throw new Error(`${key}: ${error}`);
      },
    });
  };
  const make = async (type: ResourceType, name: string, owners: readonly OwnerReference[] = [], finalizers: readonly string[] = []) => {
    const metadata = { name, ...(type.namespaced ? { namespace: 'a' } : {}), ownerReferences: owners, finalizers };
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
    return typed<KubernetesObject>(await registry.create(type, untyped({ apiVersion, kind: type.kind, metadata })));
  };
  const names = (type: ResourceType) => registry.list(type).map((object) => typed<KubernetesObject>(object).metadata.name);
  const get = (type: ResourceType, name: string) => {
    const found = registry.get(type, { namespace: 'a', name });
    return found === undefined ? undefined : typed<KubernetesObject>(found);
  };
  return { clock, registry, start, make, names, get };
}

const refer = (owner: KubernetesObject, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...more,
});
const at = (name: string) => ({ namespace: 'a', name });

describe('garbageCollector', () => {
  it('deletes dependents of all kinds, and theirs, after a background deletion', async () => {
    const { registry, start, make, names } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    const child = await make(WIDGETS, 'child', [refer(owner)]);
    await make(CONFIG_MAPS, 'grandchild', [refer(child)]);
    await make(CONFIG_MAPS, 'stranger');
    await registry.delete(CONFIG_MAPS, at('owner'), { propagationPolicy: 'Background' });
    await loop.idle();
    expect([names(CONFIG_MAPS), names(WIDGETS)]).toEqual([['stranger'], []]);
  });

  it('collects what had lost its owner before it was started', async () => {
    const { registry, start, make, names } = cluster();
    const owner = await make(CONFIG_MAPS, 'owner');
    await make(CONFIG_MAPS, 'child', [refer(owner)]);
    await registry.delete(CONFIG_MAPS, at('owner'));
    await start().idle();
    expect(names(CONFIG_MAPS)).toEqual([]);
  });

  it('keeps an owner that is deleted in the foreground until what blocks it has gone', async () => {
    const { registry, start, make, names } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    await make(WIDGETS, 'blocks', [refer(owner, { blockOwnerDeletion: true })], ['example.com/hold']);
    await make(WIDGETS, 'does-not-block', [refer(owner)], ['example.com/hold']);
    await registry.delete(CONFIG_MAPS, at('owner'), { propagationPolicy: 'Foreground' });
    await loop.idle();
    expect(names(CONFIG_MAPS)).toEqual(['owner']);
    await registry.modify(WIDGETS, at('blocks'), (object) =>
      untyped({ ...object, metadata: { ...typed<KubernetesObject>(object).metadata, finalizers: [] } }),
    );
    await loop.idle();
    expect([names(CONFIG_MAPS), names(WIDGETS)]).toEqual([[], ['does-not-block']]);
  });

  it('takes itself out of the way of dependents that are orphaned', async () => {
    const { registry, start, make, get, names } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    const other = await make(CONFIG_MAPS, 'other');
    await make(WIDGETS, 'child', [refer(owner)]);
    await make(WIDGETS, 'shared', [refer(owner), refer(other)]);
    await registry.delete(CONFIG_MAPS, at('owner'), { propagationPolicy: 'Orphan' });
    await loop.idle();
    expect(names(CONFIG_MAPS)).toEqual(['other']);
    expect(get(WIDGETS, 'child')?.metadata.ownerReferences).toBeUndefined();
    expect(get(WIDGETS, 'shared')?.metadata.ownerReferences).toEqual([refer(other)]);
  });

  it('keeps what has an owner left, without the owners that are gone or wait for it', async () => {
    const { registry, start, make, get, names } = cluster();
    const loop = start();
    const leaves = await make(CONFIG_MAPS, 'leaves');
    const stays = await make(CONFIG_MAPS, 'stays');
    await make(WIDGETS, 'child', [refer(leaves, { blockOwnerDeletion: true }), refer(stays)]);
    await registry.delete(CONFIG_MAPS, at('leaves'), { propagationPolicy: 'Foreground' });
    await loop.idle();
    expect(names(CONFIG_MAPS)).toEqual(['stays']);
    expect(get(WIDGETS, 'child')?.metadata.ownerReferences).toEqual([refer(stays)]);
  });

  it('is not held up by objects that own each other in a circle', async () => {
    const { registry, start, make, names } = cluster();
    const loop = start();
    const block = { blockOwnerDeletion: true };
    const one = await make(WIDGETS, 'one');
    const two = await make(WIDGETS, 'two', [refer(one, block)]);
    const three = await make(WIDGETS, 'three', [refer(two, block)]);
    await registry.modify(WIDGETS, at('one'), (object) =>
      untyped({ ...object, metadata: { ...typed<KubernetesObject>(object).metadata, ownerReferences: [refer(three, block)] } }),
    );
    await registry.delete(WIDGETS, at('one'), { propagationPolicy: 'Foreground' });
    await loop.idle();
    expect(names(WIDGETS)).toEqual([]);
  });

  it('takes an owner of the same name with another uid, or in another namespace, for absent', async () => {
    const { start, make, names } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    await make(WIDGETS, 'other-uid', [refer(owner, { uid: 'another' })]);
    await make(WIDGETS, 'other-name', [refer(owner, { name: 'elsewhere' })]);
    await loop.idle();
    expect(names(WIDGETS)).toEqual([]);
  });

  it('leaves alone what lives in no namespace and names an owner that does', async () => {
    const { registry, start, make, names } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    await make(NODES, 'node', [refer(owner)]);
    await registry.delete(CONFIG_MAPS, at('owner'));
    await loop.idle();
    expect(names(NODES)).toEqual(['node']);
  });

  it('waits for the kind of an owner to be served', async () => {
    const { clock, registry, start, make, names } = cluster();
    const loop = start();
    const reference = { apiVersion: 'example.com/v1', kind: 'Gadget', name: 'g', uid: 'g' };
    await make(WIDGETS, 'child', [reference]);
    await loop.idle();
    expect(names(WIDGETS)).toEqual(['child']);
    registry.serve(served('example.com/v1', 'gadgets', 'Gadget'));
    clock.advance(5_000);
    await loop.idle();
    expect(names(WIDGETS)).toEqual([]);
  });

  it('writes nothing about objects whose owners are there', async () => {
    const { registry, start, make } = cluster();
    const loop = start();
    const owner = await make(CONFIG_MAPS, 'owner');
    await make(WIDGETS, 'child', [refer(owner)]);
    const before = registry.writes.length;
    await loop.idle();
    expect(registry.writes.length).toBe(before);
  });
});
