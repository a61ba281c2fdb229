import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../engine/object/json.ts';
import { serverSideApply } from '../../engine/object/server-side-apply.ts';
import type { DesiredObject } from '../../engine/rules/reconcile/program.ts';
import { AUTOSCALED_PATHS, autoscaledBy, bodyOf, desiredDigest, isAsApplied, isAutoscaled, ownedState } from './child.ts';

const instance: JsonObject = {
  apiVersion: 'example.com/v1',
  kind: 'App',
  metadata: { name: 'shop', namespace: 'ns', uid: 'uid-1' },
};
const desired = (object: JsonObject, more: Partial<DesiredObject> = {}): DesiredObject => ({
  id: 'web',
  key: '',
  reference: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'web' },
  object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'ns' }, ...object },
  level: 1,
  partial: false,
  force: false,
  adopt: 'IfUnowned',
  deletion: 'Delete',
  onImmutable: 'Report',
  ignore: [],
  ready: false,
  ...more,
});
const apply = (live: JsonObject | null, applied: JsonObject, manager = 'fairlead/r', force = false): JsonObject => {
  const write = { live, applied, manager, force, subresource: '', apiVersion: 'apps/v1', now: '2026-01-01T00:00:00Z', schema: undefined };
  const outcome = serverSideApply(write);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.object;
};
const base = { rule: 'r', instance, owned: undefined, controller: true };

describe('the object that is applied', () => {
  it('says whose it is', () => {
    const { metadata } = bodyOf(desired({ metadata: { name: 'web', namespace: 'ns', labels: { app: 'a' } } }), base);
    expect(metadata).toEqual({
      name: 'web',
      namespace: 'ns',
      labels: { app: 'a', 'fairlead.dev/rule': 'r', 'fairlead.dev/instance': 'uid-1' },
      annotations: { 'fairlead.dev/object': 'web', 'fairlead.dev/level': '1' },
      ownerReferences: [
        { apiVersion: 'example.com/v1', kind: 'App', name: 'shop', uid: 'uid-1', controller: true, blockOwnerDeletion: true },
      ],
    });
  });

  it.each([
    ['elsewhere', { reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'other', name: 'web' } }],
    ['that outlives its instance', { deletion: 'Orphan' }],
  ] as const)('names no owner %s', (_, more) => {
    expect((bodyOf(desired({}, more), base)['metadata'] as JsonObject)['ownerReferences']).toBeUndefined();
  });

  it('is left bare where it is only a part of a foreign one', () => {
    const part = desired({ spec: { paused: true } }, { partial: true });
    expect(bodyOf(part, base)).toBe(part.object);
  });

  it('has the texts of a Secret where they can be read again', () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, data: { a: 'eA==' }, stringData: { b: 'hä' } };
    const body = bodyOf(desired(object), base);
    expect(body['data']).toEqual({ a: 'eA==', b: 'aMOk' });
    expect(body['stringData']).toBeUndefined();
  });

  describe('with a path that is left to others', () => {
    const scaled = desired({ spec: { replicas: 3, paused: false } }, { ignore: ['$.spec.replicas'] });
    const made = apply(null, bodyOf(scaled, base));
    it('has it when it is made', () => expect((made['spec'] as JsonObject)['replicas']).toBe(3));
    it('keeps the value it has while it is ours', () => {
      const owned = ownedState({ ...made, spec: { replicas: 3, paused: false } }, 'fairlead/r');
      const changed = desired({ spec: { replicas: 9, paused: true } }, { ignore: ['$.spec.replicas'] });
      expect(bodyOf(changed, { ...base, owned })['spec']).toEqual({ replicas: 3, paused: true });
    });
    it('leaves it out once it is theirs', () => {
      const taken = apply(
        made,
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 5 } },
        'other',
        true,
      );
      const owned = ownedState(taken, 'fairlead/r');
      expect(bodyOf(scaled, { ...base, owned })['spec']).toEqual({ paused: false });
    });
  });
});

describe('drift', () => {
  const wanted = desired({ spec: { replicas: 3 } });
  const body = bodyOf(wanted, base);
  const made = apply(null, body);

  it('is none after an apply', () => expect(isAsApplied(body, ownedState(made, 'fairlead/r'))).toBe(true));

  it('is seen in what we own, whatever the generation', () => {
    const drifted = { ...made, spec: { replicas: 4 } };
    expect(isAsApplied(body, ownedState(drifted, 'fairlead/r'))).toBe(false);
    expect(ownedState(drifted, 'fairlead/r').digest).not.toBe(ownedState(made, 'fairlead/r').digest);
  });

  it('is none in what others have added', () => {
    const added = { ...made, spec: { replicas: 3, paused: true }, status: { replicas: 3 } };
    expect(ownedState(added, 'fairlead/r').digest).toBe(ownedState(made, 'fairlead/r').digest);
  });

  it('of what is wanted shows in its digest', () => {
    expect(desiredDigest(wanted, instance)).toBe(desiredDigest(desired({ spec: { replicas: 3 } }), instance));
    expect(desiredDigest(wanted, instance)).not.toBe(desiredDigest(desired({ spec: { replicas: 4 } }), instance));
    expect(desiredDigest(wanted, instance)).not.toBe(desiredDigest({ ...wanted, deletion: 'Orphan' }, instance));
  });

  it('knows integers beyond 2^53', () => {
    const digest = (value: bigint) => desiredDigest(desired({ spec: { value } }), instance);
    expect(digest(9007199254740993n)).not.toBe(digest(9007199254740992n));
  });
});

describe('autoscalers', () => {
  const entry = (manager: string, subresource?: string): JsonObject => ({
    manager,
    operation: 'Update',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    ...(subresource === undefined ? {} : { subresource }),
  });
  it.each([
    ['by an autoscaler', entry('kube-controller-manager', 'scale'), true],
    ['by a person', entry('kubectl', 'scale'), false],
    ['by an update', entry('kube-controller-manager'), false],
  ])('replicas set %s', (_, managed, expected) => {
    expect(isAutoscaled({ metadata: { managedFields: [managed] } })).toBe(expected);
  });

  it('of the plan itself are found', () => {
    const scaler = desired(
      { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } } },
      { reference: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', namespace: 'ns', name: 'web' } },
    );
    const web = desired({ spec: { replicas: 1 } });
    expect(autoscaledBy([scaler, web])(web)).toBe(true);
    expect(autoscaledBy([web])(web)).toBe(false);
    expect(bodyOf(web, { ...base, owned: { fields: {}, digest: '' }, ignore: AUTOSCALED_PATHS })['spec']).toEqual({});
  });
});
