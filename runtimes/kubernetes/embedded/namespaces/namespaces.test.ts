import { describe, expect, it } from 'vitest';
import { manualClock } from '../../../host/clock.ts';
import { runControlLoop } from '../control-loop/control-loop.ts';
import { type KubernetesObject, typed, untyped } from '../control-loop/kind.ts';
import { memoryRegistry, served } from '../control-loop/memory-registry.fixture.ts';
import type { Namespace } from './kinds.ts';
import { namespaceController } from './namespace-controller.ts';
import { defaultServiceAccounts, rootAuthorityPublisher } from './namespace-defaults.ts';

const NAMESPACES = served('v1', 'namespaces', 'Namespace', false);
const CONFIG_MAPS = served('v1', 'configmaps', 'ConfigMap');
const SERVICE_ACCOUNTS = served('v1', 'serviceaccounts', 'ServiceAccount');
const PODS = served('v1', 'pods', 'Pod');
const WIDGETS = served('example.com/v1', 'widgets', 'Widget');

async function cluster() {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const registry = memoryRegistry({ resources: [NAMESPACES, CONFIG_MAPS, SERVICE_ACCOUNTS, PODS, WIDGETS], now: clock.now });
  const loop = runControlLoop({
    registry,
    clock,
    controllers: [
      namespaceController(registry, clock.now),
      defaultServiceAccounts(registry),
      rootAuthorityPublisher(registry, 'an authority'),
    ],
    onError: (controller, key, error) => {
      throw new Error(`${controller} ${key}: ${error}`);
    },
  });
  const make = (type: typeof PODS, name: string, more: object = {}, finalizers: readonly string[] = []) =>
    registry.create(type, untyped({ kind: type.kind, metadata: { name, namespace: 'a', finalizers }, ...more }));
  await registry.create(
    NAMESPACES,
    untyped({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' }, spec: { finalizers: ['kubernetes'] } }),
  );
  await loop.idle();
  const namespace = () => {
    const found = registry.get(NAMESPACES, { name: 'a' });
    return found === undefined ? undefined : typed<Namespace>(found);
  };
  const condition = (type: string) => namespace()?.status?.conditions?.find((each) => each.type === type);
  return { clock, registry, loop, make, namespace, condition };
}

describe('what every namespace has', () => {
  it('is a service account and the authorities of the server', async () => {
    const { registry } = await cluster();
    expect(registry.get(SERVICE_ACCOUNTS, { namespace: 'a', name: 'default' })).toBeDefined();
    expect(registry.get(CONFIG_MAPS, { namespace: 'a', name: 'kube-root-ca.crt' })).toMatchObject({ data: { 'ca.crt': 'an authority' } });
  });

  it('comes back when it is deleted or changed', async () => {
    const { registry, loop } = await cluster();
    await registry.delete(SERVICE_ACCOUNTS, { namespace: 'a', name: 'default' });
    await registry.modify(CONFIG_MAPS, { namespace: 'a', name: 'kube-root-ca.crt' }, (object) => ({ ...object, data: {} }));
    await loop.idle();
    expect(registry.get(SERVICE_ACCOUNTS, { namespace: 'a', name: 'default' })).toBeDefined();
    expect(registry.get(CONFIG_MAPS, { namespace: 'a', name: 'kube-root-ca.crt' })).toMatchObject({ data: { 'ca.crt': 'an authority' } });
  });
});

describe('a namespace that is deleted', () => {
  it('goes with all that is in it', async () => {
    const { registry, loop, make, namespace } = await cluster();
    await make(WIDGETS, 'w');
    await make(PODS, 'p');
    await registry.delete(NAMESPACES, { name: 'a' });
    await loop.idle();
    expect(namespace()).toBeUndefined();
    for (const type of [CONFIG_MAPS, SERVICE_ACCOUNTS, PODS, WIDGETS]) expect(registry.list(type)).toEqual([]);
  });

  it('keeps the rest while there are pods', async () => {
    const { registry, loop, make, condition } = await cluster();
    await make(WIDGETS, 'w');
    await make(PODS, 'p', { spec: { nodeName: 'n' } });
    await registry.delete(NAMESPACES, { name: 'a' });
    await loop.idle();
    expect(registry.list(WIDGETS).map((object) => typed<KubernetesObject>(object).metadata.deletionTimestamp)).toEqual([undefined]);
    expect(condition('NamespaceContentRemaining')).toMatchObject({ status: 'True', reason: 'SomeResourcesRemain' });
    expect(condition('NamespaceContentRemaining')?.message).toContain('pods. has 1 resource instances');
    await registry.delete(PODS, { namespace: 'a', name: 'p' }, { gracePeriodSeconds: 0 });
    await loop.idle();
    expect(registry.list(NAMESPACES)).toEqual([]);
  });

  it('says which finalizers hold it', async () => {
    const { registry, loop, make, condition, namespace } = await cluster();
    await make(WIDGETS, 'w', {}, ['example.com/hold']);
    await registry.delete(NAMESPACES, { name: 'a' });
    await loop.idle();
    expect(condition('NamespaceContentRemaining')).toEqual({
      type: 'NamespaceContentRemaining',
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'Some resources are remaining: widgets.example.com has 1 resource instances',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    expect(condition('NamespaceFinalizersRemaining')?.message).toBe(
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    );
    expect(condition('NamespaceDeletionContentFailure')).toMatchObject({ status: 'False', reason: 'ContentDeleted' });
    await registry.modify(WIDGETS, { namespace: 'a', name: 'w' }, (object) => ({
      ...object,
      metadata: { ...(object['metadata'] as object), finalizers: [] },
    }));
    await loop.idle();
    expect(namespace()).toBeUndefined();
  });
});
