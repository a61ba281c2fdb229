import { create, get, given, mergePatch, remove, type Step, subject, update } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, NAMESPACES, ownedBy, PODS, pod } from './objects.ts';

const madeA = given(create(CONFIG_MAPS, configMap('a', { k: 'v' }), { keep: { uid: '/metadata/uid', rv: '/metadata/resourceVersion' } }));
const goneA = get(`${CONFIG_MAPS}/a`, { until: { status: 404 } });

/** Makes `owner` and a `child` of it. */
function ownerAndChild(childMore: object = {}, ownerMore: object = {}): Step[] {
  return [
    given(create(CONFIG_MAPS, configMap('owner', {}, ownerMore), { keep: { owner: '/metadata/uid' } })),
    given(create(CONFIG_MAPS, configMap('child', {}, ownedBy('v1', 'ConfigMap', 'owner', '$(owner)', childMore)))),
  ];
}

const ready = { apiVersion: 'v1', kind: 'ConfigMap' };

/** PUT and DELETE: concurrency, generation, finalizers, garbage collection. */
export const updateDeleteCases = [
  ...subject('update', {
    'with the current version': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'w' }, { resourceVersion: '$(rv)' }))],
    'without a version': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'w' }))],
    'with an old version': [
      madeA,
      given(update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'w' }))),
      update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'x' }, { resourceVersion: '$(rv)' })),
    ],
    'with a version that is none': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'x' }, { resourceVersion: 'abc' }))],
    'that changes nothing': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'v' })), get(`${CONFIG_MAPS}/a`)],
    'of what is not there': [update(`${CONFIG_MAPS}/none`, configMap('none')), update(`${DEPLOYMENTS}/none`, deployment('none'))],
    'of what is not there, with a version': [update(`${CONFIG_MAPS}/none`, configMap('none', {}, { resourceVersion: '7' }))],
    'with another name': [madeA, update(`${CONFIG_MAPS}/a`, configMap('b'))],
    'without a name': [madeA, update(`${CONFIG_MAPS}/a`, { ...ready, metadata: {}, data: { x: 'y' } })],
    'with another namespace': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', {}, { namespace: 'other' }))],
    'with another uid': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', {}, { uid: '11111111-1111-1111-1111-111111111111' }))],
    'that drops what the server sets': [
      madeA,
      update(`${CONFIG_MAPS}/a`, { ...ready, metadata: { name: 'a', creationTimestamp: '2001-01-01T00:00:00Z' }, data: { k: 'x' } }),
    ],
    'of labels': [madeA, update(`${CONFIG_MAPS}/a`, configMap('a', { k: 'v' }, { labels: { a: 'b' } }))],
    'of a deployment: generation': [
      given(create(DEPLOYMENTS, deployment('a'))),
      update(`${DEPLOYMENTS}/a`, deployment('a', { replicas: 2 })),
      update(`${DEPLOYMENTS}/a`, deployment('a', { replicas: 2 }, { labels: { only: 'metadata' } })),
      update(`${DEPLOYMENTS}/a`, { ...deployment('a', { replicas: 2 }), status: { replicas: 9 } }),
    ],
    'of an immutable selector': [
      given(create(DEPLOYMENTS, deployment('a'))),
      update(
        `${DEPLOYMENTS}/a`,
        deployment('a', {
          selector: { matchLabels: { app: 'b' } },
          template: { metadata: { labels: { app: 'b' } }, spec: { containers: [{ name: 'main', image: 'i' }] } },
        }),
      ),
    ],
    'of a pod': [
      given(create(PODS, pod('a'))),
      mergePatch(`${PODS}/a`, { spec: { restartPolicy: 'Never' } }),
      mergePatch(`${PODS}/a`, { spec: { activeDeadlineSeconds: 30 } }),
      mergePatch(`${PODS}/a`, { metadata: { labels: { x: 'y' } } }),
    ],
  }),
  ...subject('status', {
    'of a deployment': [
      given(create(DEPLOYMENTS, deployment('a'))),
      update(`${DEPLOYMENTS}/a/status`, {
        ...deployment('a', { replicas: 9 }, { labels: { ignored: 'yes' } }),
        status: { replicas: 1, readyReplicas: 1, observedGeneration: 1 },
      }),
      get(`${DEPLOYMENTS}/a/status`),
      get(`${DEPLOYMENTS}/a`),
    ],
    'by a merge patch': [
      given(create(DEPLOYMENTS, deployment('a'))),
      mergePatch(`${DEPLOYMENTS}/a/status`, { metadata: { annotations: { a: 'b' } }, spec: { replicas: 5 }, status: { replicas: 2 } }),
      mergePatch(`${DEPLOYMENTS}/a/status`, { status: { replicas: -2 } }),
    ],
    'of a pod': [
      given(create(PODS, pod('a'))),
      mergePatch(`${PODS}/a/status`, { status: { phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] } }),
    ],
    'that leaves metadata alone': [
      given(
        create('/apis/storage.k8s.io/v1/volumeattachments', {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'VolumeAttachment',
          metadata: { name: '$(ns)', labels: { a: 'b' } },
          spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } },
        }),
      ),
      mergePatch('/apis/storage.k8s.io/v1/volumeattachments/$(ns)/status', {
        metadata: { labels: { a: 'c' }, annotations: { x: 'y' }, finalizers: ['example.com/x'] },
        spec: { nodeName: 'other' },
        status: { attached: true },
      }),
    ],
    'of a config map': [madeA, get(`${CONFIG_MAPS}/a/status`), update(`${CONFIG_MAPS}/a/status`, configMap('a'))],
    'of what is not there': [get(`${DEPLOYMENTS}/none/status`), update(`${DEPLOYMENTS}/none/status`, deployment('none'))],
    posted: [given(create(DEPLOYMENTS, deployment('a'))), create(`${DEPLOYMENTS}/a/status`, deployment('a'))],
    deleted: [given(create(DEPLOYMENTS, deployment('a'))), remove(`${DEPLOYMENTS}/a/status`)],
  }),
  ...subject('scale', {
    'read and written': [
      given(create(DEPLOYMENTS, deployment('a', { replicas: 2 }))),
      get(`${DEPLOYMENTS}/a/scale`),
      update(`${DEPLOYMENTS}/a/scale`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'a', namespace: '$(ns)' },
        spec: { replicas: 5 },
      }),
      get(`${DEPLOYMENTS}/a`),
    ],
    patched: [
      given(create(DEPLOYMENTS, deployment('a', { replicas: 2 }))),
      mergePatch(`${DEPLOYMENTS}/a/scale`, { spec: { replicas: 3 } }),
      mergePatch(`${DEPLOYMENTS}/a/scale`, { spec: { replicas: -3 } }),
    ],
    'with an old version': [
      given(create(DEPLOYMENTS, deployment('a'), { keep: { rv: '/metadata/resourceVersion' } })),
      given(mergePatch(`${DEPLOYMENTS}/a`, { metadata: { labels: { a: 'b' } } })),
      update(`${DEPLOYMENTS}/a/scale`, {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'a', namespace: '$(ns)', resourceVersion: '$(rv)' },
        spec: { replicas: 5 },
      }),
    ],
    'of what is not there': [get(`${DEPLOYMENTS}/none/scale`), mergePatch(`${DEPLOYMENTS}/none/scale`, { spec: { replicas: 1 } })],
    'of a config map': [madeA, get(`${CONFIG_MAPS}/a/scale`)],
  }),
  ...subject('delete', {
    'config map': [madeA, remove(`${CONFIG_MAPS}/a`), remove(`${CONFIG_MAPS}/a`), get(`${CONFIG_MAPS}/a`)],
    'what is not there': [remove(`${CONFIG_MAPS}/none`), remove('/api/v1/namespaces/nowhere/configmaps/a')],
    'pod without a node': [given(create(PODS, pod('a'))), remove(`${PODS}/a`), get(`${PODS}/a`)],
    'pod on a node': [
      given(create(PODS, pod('a', { nodeName: 'somewhere' }))),
      remove(`${PODS}/a`),
      get(`${PODS}/a`),
      remove(`${PODS}/a`, { gracePeriodSeconds: 5 }),
      remove(`${PODS}/a`, { gracePeriodSeconds: 0 }),
      get(`${PODS}/a`),
    ],
    'with a precondition on the uid': [
      madeA,
      remove(`${CONFIG_MAPS}/a`, { preconditions: { uid: '11111111-1111-1111-1111-111111111111' } }),
      remove(`${CONFIG_MAPS}/a`, { preconditions: { uid: '$(uid)' } }),
    ],
    'with a precondition on the version': [
      madeA,
      remove(`${CONFIG_MAPS}/a`, { preconditions: { resourceVersion: '1' } }),
      remove(`${CONFIG_MAPS}/a`, { preconditions: { resourceVersion: '$(rv)' } }),
    ],
    'with options of a kind': [madeA, remove(`${CONFIG_MAPS}/a`, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 })],
    'with options of another kind': [madeA, remove(`${CONFIG_MAPS}/a`, { kind: 'ConfigMap', apiVersion: 'v1' })],
    'with options that are none': [madeA, remove(`${CONFIG_MAPS}/a`, '{"propagationPolicy": 7}')],
    'with an unknown propagation policy': [
      madeA,
      remove(`${CONFIG_MAPS}/a`, { propagationPolicy: 'Sideways' }),
      remove(`${CONFIG_MAPS}/a?propagationPolicy=Sideways`),
    ],
    'with both ways to orphan': [madeA, remove(`${CONFIG_MAPS}/a`, { propagationPolicy: 'Orphan', orphanDependents: true })],
    'with a negative grace period': [given(create(PODS, pod('a'))), remove(`${PODS}/a`, { gracePeriodSeconds: -1 })],
    'with a finalizer': [
      given(create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.test/hold'] }))),
      remove(`${CONFIG_MAPS}/a`),
      get(`${CONFIG_MAPS}/a`),
      remove(`${CONFIG_MAPS}/a`),
      mergePatch(`${CONFIG_MAPS}/a`, { metadata: { labels: { still: 'here' } } }),
      mergePatch(`${CONFIG_MAPS}/a`, { metadata: { finalizers: ['example.test/hold', 'example.test/more'] } }),
      create(CONFIG_MAPS, configMap('a')),
      mergePatch(`${CONFIG_MAPS}/a`, { metadata: { finalizers: null } }),
      get(`${CONFIG_MAPS}/a`),
    ],
    'with a finalizer, by update': [
      given(create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.test/hold'] }))),
      given(remove(`${CONFIG_MAPS}/a`)),
      update(`${CONFIG_MAPS}/a`, configMap('a')),
      get(`${CONFIG_MAPS}/a`),
    ],
    'a deployment with a finalizer': [
      given(create(DEPLOYMENTS, deployment('a', {}, { finalizers: ['example.test/hold'] }))),
      remove(`${DEPLOYMENTS}/a`),
      mergePatch(`${DEPLOYMENTS}/a`, { spec: { replicas: 3 } }),
    ],
    'a collection': [
      given(create(CONFIG_MAPS, configMap('a', {}, { labels: { pick: 'me' } }))),
      given(create(CONFIG_MAPS, configMap('b', {}, { labels: { pick: 'me' }, finalizers: ['example.test/hold'] }))),
      given(create(CONFIG_MAPS, configMap('c', {}))),
      remove(`${CONFIG_MAPS}?labelSelector=pick%3Dme`),
      get(`${CONFIG_MAPS}?fieldSelector=metadata.name!%3Dkube-root-ca.crt`),
      remove(`${CONFIG_MAPS}?labelSelector=pick%3Dnobody`),
    ],
    'a collection with a bad selector': [remove(`${CONFIG_MAPS}?labelSelector=a%20b`)],
    'a collection, dry run': [madeA, remove(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Da&dryRun=All`), get(`${CONFIG_MAPS}/a`)],
    'service account': [
      given(create('/api/v1/namespaces/$(ns)/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } })),
      remove('/api/v1/namespaces/$(ns)/serviceaccounts/a'),
    ],
  }),
  ...subject('garbage collection', {
    background: [...ownerAndChild(), remove(`${CONFIG_MAPS}/owner`), get(`${CONFIG_MAPS}/child`, { until: { status: 404 } })],
    'background by name': [
      ...ownerAndChild(),
      remove(`${CONFIG_MAPS}/owner`, { propagationPolicy: 'Background' }),
      get(`${CONFIG_MAPS}/child`, { until: { status: 404 } }),
    ],
    orphan: [
      ...ownerAndChild(),
      remove(`${CONFIG_MAPS}/owner`, { propagationPolicy: 'Orphan' }),
      get(`${CONFIG_MAPS}/owner`, { until: { status: 404 } }),
      get(`${CONFIG_MAPS}/child`, { until: { at: '/metadata/ownerReferences', isAbsent: true }, pick: owners }),
    ],
    'orphan by the old field': [
      ...ownerAndChild(),
      remove(`${CONFIG_MAPS}/owner`, { orphanDependents: true }),
      get(`${CONFIG_MAPS}/owner`, { until: { status: 404 } }),
      get(`${CONFIG_MAPS}/child`, { until: { at: '/metadata/ownerReferences', isAbsent: true }, pick: owners }),
    ],
    foreground: [
      ...ownerAndChild({ blockOwnerDeletion: true }, {}),
      given(mergePatch(`${CONFIG_MAPS}/child`, { metadata: { finalizers: ['example.test/hold'] } })),
      remove(`${CONFIG_MAPS}/owner`, { propagationPolicy: 'Foreground' }),
      get(`${CONFIG_MAPS}/child`, { until: { at: '/metadata/deletionTimestamp' }, pick: owners }),
      get(`${CONFIG_MAPS}/owner`, { pick: owners }),
      mergePatch(`${CONFIG_MAPS}/child`, { metadata: { finalizers: null } }, { pick: owners }),
      get(`${CONFIG_MAPS}/owner`, { until: { status: 404 } }),
    ],
    'foreground without blocking': [
      ...ownerAndChild(),
      given(mergePatch(`${CONFIG_MAPS}/child`, { metadata: { finalizers: ['example.test/hold'] } })),
      remove(`${CONFIG_MAPS}/owner`, { propagationPolicy: 'Foreground' }),
      get(`${CONFIG_MAPS}/owner`, { until: { status: 404 } }),
      get(`${CONFIG_MAPS}/child`, { until: { at: '/metadata/deletionTimestamp' }, pick: owners }),
    ],
    'an owner that never was': [
      given(create(CONFIG_MAPS, configMap('child', {}, ownedBy('v1', 'ConfigMap', 'owner', '22222222-2222-2222-2222-222222222222')))),
      get(`${CONFIG_MAPS}/child`, { until: { status: 404 } }),
    ],
    'an owner with another uid': [
      given(create(CONFIG_MAPS, configMap('owner'))),
      given(create(CONFIG_MAPS, configMap('child', {}, ownedBy('v1', 'ConfigMap', 'owner', '33333333-3333-3333-3333-333333333333')))),
      get(`${CONFIG_MAPS}/child`, { until: { status: 404 } }),
    ],
    'two owners, one gone': [
      given(create(CONFIG_MAPS, configMap('one'), { keep: { one: '/metadata/uid' } })),
      given(create(CONFIG_MAPS, configMap('two'), { keep: { two: '/metadata/uid' } })),
      given(
        create(
          CONFIG_MAPS,
          configMap(
            'child',
            {},
            {
              ownerReferences: [
                { apiVersion: 'v1', kind: 'ConfigMap', name: 'one', uid: '$(one)' },
                { apiVersion: 'v1', kind: 'ConfigMap', name: 'two', uid: '$(two)' },
              ],
            },
          ),
        ),
      ),
      given(remove(`${CONFIG_MAPS}/one`)),
      get(`${CONFIG_MAPS}/child`, { until: { at: '/metadata/ownerReferences/1', isAbsent: true }, pick: owners }),
      given(remove(`${CONFIG_MAPS}/two`)),
      get(`${CONFIG_MAPS}/child`, { until: { status: 404 } }),
    ],
    'a chain of three': [
      ...ownerAndChild(),
      given(get(`${CONFIG_MAPS}/child`, { keep: { child: '/metadata/uid' } })),
      given(create(CONFIG_MAPS, configMap('grandchild', {}, ownedBy('v1', 'ConfigMap', 'child', '$(child)')))),
      given(remove(`${CONFIG_MAPS}/owner`)),
      get(`${CONFIG_MAPS}/grandchild`, { until: { status: 404 } }),
    ],
    'of another kind': [
      given(create(DEPLOYMENTS, deployment('owner', { replicas: 0 }), { keep: { owner: '/metadata/uid' } })),
      given(create(CONFIG_MAPS, configMap('child', {}, ownedBy('apps/v1', 'Deployment', 'owner', '$(owner)')))),
      remove(`${DEPLOYMENTS}/owner`),
      get(`${CONFIG_MAPS}/child`, { until: { status: 404 } }),
    ],
    'foreground without children': [madeA, remove(`${CONFIG_MAPS}/a`, { propagationPolicy: 'Foreground' }), goneA],
  }),
  ...subject('namespace', {
    'deletion takes everything': [
      given(create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } })),
      given(create('/api/v1/namespaces/$(ns)-b/configmaps', configMap('a'))),
      remove(`${NAMESPACES}/$(ns)-b`, undefined, { pick: phase }),
      get('/api/v1/namespaces/$(ns)-b/configmaps/a', { until: { status: 404 } }),
      get(`${NAMESPACES}/$(ns)-b`, { until: { status: 404 } }),
    ],
    'terminating takes nothing new': [
      given(create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } })),
      given(create('/api/v1/namespaces/$(ns)-b/configmaps', configMap('a', {}, { finalizers: ['example.test/hold'] }))),
      given(remove(`${NAMESPACES}/$(ns)-b`)),
      create('/api/v1/namespaces/$(ns)-b/configmaps', configMap('b')),
      get(`${NAMESPACES}/$(ns)-b`, { until: { at: '/status/conditions/4' }, pick: conditions }),
      remove(`${NAMESPACES}/$(ns)-b`, undefined, { compare: 'status' }),
      given(mergePatch('/api/v1/namespaces/$(ns)-b/configmaps/a', { metadata: { finalizers: null } })),
      get(`${NAMESPACES}/$(ns)-b`, { until: { status: 404 } }),
    ],
    finalize: [
      given(create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' } })),
      update(
        `${NAMESPACES}/$(ns)-b/finalize`,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' }, spec: { finalizers: ['kubernetes', 'example.test/x'] } },
        { pick: phase },
      ),
      given(update(`${NAMESPACES}/$(ns)-b/finalize`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '$(ns)-b' }, spec: {} })),
      get(`${NAMESPACES}/$(ns)-b`, { pick: phase }),
    ],
    'default can not be deleted': [remove(`${NAMESPACES}/default`), remove(`${NAMESPACES}/kube-system`)],
    'collection can not be deleted': [remove(NAMESPACES)],
    'label of its name': [
      create(NAMESPACES, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: '$(ns)-b', labels: { 'kubernetes.io/metadata.name': 'wrong' } },
      }),
    ],
    'of the beginning': ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) =>
      get(`${NAMESPACES}/${name}`, { pick: phase }),
    ),
  }),
];

/** What garbage collection is about; other fields are managed by a controller in its own time. */
function owners(body: unknown): unknown {
  const { metadata, ...rest } = body as { metadata: Record<string, unknown> };
  const { name, ownerReferences, finalizers, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return metadata['name'] === undefined
    ? body
    : { ...rest, metadata: { name, ownerReferences, finalizers, deletionTimestamp, deletionGracePeriodSeconds } };
}

function phase(body: unknown): unknown {
  const { metadata, spec, status, ...rest } = body as { metadata: Record<string, unknown>; spec: unknown; status: { phase?: string } };
  const { name, labels, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return { ...rest, spec, phase: status?.phase, metadata: { name, labels, deletionTimestamp, deletionGracePeriodSeconds } };
}

function conditions(body: unknown): unknown {
  const { status } = body as { status: { conditions: { lastTransitionTime: string }[] } };
  return { ...status, conditions: status.conditions.map(({ lastTransitionTime: _, ...rest }) => rest) };
}
