import { apply, create, get, given, jsonPatch, mergePatch, type Step, strategicPatch, subject, update } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, PODS, pod, SERVICES } from './objects.ts';

const madeA = given(
  create(CONFIG_MAPS, configMap('a', { k: 'v', other: 'o' }, { labels: { app: 'a' } }), {
    keep: { rv: '/metadata/resourceVersion', uid: '/metadata/uid' },
  }),
);
const madeDeployment = given(create(DEPLOYMENTS, deployment('a'), { keep: { rv: '/metadata/resourceVersion' } }));
const A = `${CONFIG_MAPS}/a`;
const D = `${DEPLOYMENTS}/a`;

/** What `manager` applies: a config map of the namespace. */
const applied = (manager: string, body: object, query = '', options: Parameters<typeof apply>[2] = {}): Step =>
  apply(`${A}?fieldManager=${manager}${query}`, body, options);
const cm = (data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...metadata },
  data,
});

/** PATCH in its four kinds, and what becomes of managed fields. */
export const patchCases = [
  ...subject('json patch', {
    'add, replace, remove': [
      madeA,
      jsonPatch(A, [
        { op: 'add', path: '/data/new', value: 'n' },
        { op: 'replace', path: '/data/k', value: 'w' },
        { op: 'remove', path: '/data/other' },
      ]),
    ],
    'test, copy, move': [
      madeA,
      jsonPatch(A, [
        { op: 'test', path: '/data/k', value: 'v' },
        { op: 'copy', from: '/data/k', path: '/data/copy' },
        { op: 'move', from: '/data/other', path: '/data/moved' },
      ]),
    ],
    'a test that fails': [madeA, jsonPatch(A, [{ op: 'test', path: '/data/k', value: 'x' }])],
    'a path that is not there': [
      madeA,
      jsonPatch(A, [{ op: 'remove', path: '/data/none' }]),
      jsonPatch(A, [{ op: 'replace', path: '/data/none', value: '' }]),
      jsonPatch(A, [{ op: 'add', path: '/nowhere/at/all', value: '' }]),
    ],
    'that is none': [
      madeA,
      jsonPatch(A, { op: 'add' }),
      jsonPatch(A, [{ op: 'dance', path: '/data' }]),
      jsonPatch(A, 'not json'),
      jsonPatch(A, [{ path: '/data/x', value: '1' }]),
    ],
    'of a list': [
      madeDeployment,
      jsonPatch(D, [
        { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'two', image: 'i:2' } },
        { op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'zero', image: 'i:0' } },
      ]),
      jsonPatch(D, [{ op: 'remove', path: '/spec/template/spec/containers/7' }]),
    ],
    'with a version': [
      madeA,
      given(mergePatch(A, { data: { x: 'y' } })),
      jsonPatch(A, [{ op: 'replace', path: '/metadata/resourceVersion', value: '$(rv)' }]),
    ],
    'that makes it invalid': [
      madeA,
      jsonPatch(A, [{ op: 'replace', path: '/data', value: 7 }]),
      jsonPatch(A, [{ op: 'replace', path: '/metadata/name', value: 'b' }]),
    ],
    'of what is not there': [jsonPatch(`${CONFIG_MAPS}/none`, [])],
    'that is empty': [madeA, jsonPatch(A, [])],
    'with too many operations': [
      madeA,
      jsonPatch(
        A,
        Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/k', value: 'v' })),
      ),
    ],
  }),
  ...subject('merge patch', {
    'values and null': [madeA, mergePatch(A, { data: { k: 'w', other: null, new: 'n' }, metadata: { labels: { b: 'c' } } })],
    'a list whole': [madeDeployment, mergePatch(D, { spec: { template: { spec: { containers: [{ name: 'only', image: 'i' }] } } } })],
    'with a version': [
      madeA,
      mergePatch(A, { metadata: { resourceVersion: '$(rv)' }, data: { x: 'y' } }),
      mergePatch(A, { metadata: { resourceVersion: '$(rv)' }, data: { x: 'z' } }),
    ],
    'that is none': [madeA, mergePatch(A, 'nonsense'), mergePatch(A, []), mergePatch(A, '7')],
    'of what is not there': [mergePatch(`${CONFIG_MAPS}/none`, { data: {} })],
    'of identity': [
      madeA,
      mergePatch(A, { metadata: { name: 'b' } }),
      mergePatch(A, { metadata: { uid: '44444444-4444-4444-4444-444444444444' } }),
      mergePatch(A, { metadata: { namespace: 'other' } }),
      mergePatch(A, { kind: 'Secret' }),
      mergePatch(A, { metadata: { creationTimestamp: '2001-01-01T00:00:00Z' } }),
    ],
    'that makes it invalid': [madeA, mergePatch(A, { data: { a: { b: 'c' } } }), mergePatch(A, { data: { 'a/b': 'c' } })],
    'with a manager': [
      madeA,
      mergePatch(`${A}?fieldManager=someone`, { data: { k: 'w' } }),
      mergePatch(`${A}?fieldManager=${'x'.repeat(129)}`, { data: { k: 'w' } }),
      mergePatch(`${A}?fieldManager=a%0Ab`, { data: { k: 'w' } }),
      mergePatch(`${A}?force=true`, { data: { k: 'w' } }),
    ],
  }),
  ...subject('strategic patch', {
    'containers by name': [
      madeDeployment,
      strategicPatch(D, {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'main', env: [{ name: 'A', value: '1' }] },
                { name: 'new', image: 'n:1' },
              ],
            },
          },
        },
      }),
    ],
    'delete an element': [
      given(
        create(
          DEPLOYMENTS,
          deployment('a', {
            template: {
              metadata: { labels: { app: 'a' } },
              spec: {
                containers: [
                  { name: 'x', image: 'i' },
                  { name: 'y', image: 'i' },
                ],
              },
            },
          }),
        ),
      ),
      strategicPatch(D, { spec: { template: { spec: { containers: [{ $patch: 'delete', name: 'x' }] } } } }),
    ],
    'replace a list': [
      madeDeployment,
      strategicPatch(D, { spec: { template: { spec: { containers: [{ $patch: 'replace' }, { name: 'only', image: 'i' }] } } } }),
    ],
    'replace a map': [madeA, strategicPatch(A, { data: { $patch: 'replace', only: '1' } })],
    'delete a map': [madeA, strategicPatch(A, { data: { $patch: 'delete' } })],
    'delete from a primitive list': [
      given(create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.test/a', 'example.test/b'] }))),
      strategicPatch(A, { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.test/a'] } }),
      strategicPatch(A, { metadata: { finalizers: ['example.test/c'] } }),
    ],
    'set element order': [
      given(
        create(
          DEPLOYMENTS,
          deployment('a', {
            template: {
              metadata: { labels: { app: 'a' } },
              spec: {
                containers: [
                  { name: 'x', image: 'i' },
                  { name: 'y', image: 'i' },
                ],
              },
            },
          }),
        ),
      ),
      strategicPatch(D, {
        spec: {
          template: { spec: { '$setElementOrder/containers': [{ name: 'y' }, { name: 'x' }], containers: [{ name: 'x', image: 'j' }] } },
        },
      }),
    ],
    'retain keys': [
      given(create(DEPLOYMENTS, deployment('a'))),
      strategicPatch(D, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
    ],
    'ports by port and protocol': [
      given(create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ name: 'a', port: 80 }] } })),
      strategicPatch(`${SERVICES}/a`, { spec: { ports: [{ name: 'b', port: 81 }] } }),
      strategicPatch(`${SERVICES}/a`, { spec: { ports: [{ port: 80, targetPort: 8080 }] } }),
    ],
    'an element without its key': [madeDeployment, strategicPatch(D, { spec: { template: { spec: { containers: [{ image: 'x' }] } } } })],
    'an unknown directive': [
      madeDeployment,
      strategicPatch(D, { spec: { template: { spec: { containers: [{ $patch: 'dance', name: 'main' }] } } } }),
    ],
    'null and values': [madeA, strategicPatch(A, { data: { k: null, n: '1' } })],
    'that is none': [madeA, strategicPatch(A, 'nonsense'), strategicPatch(A, [])],
    'of pod tolerations': [
      given(create(PODS, pod('a'))),
      strategicPatch(`${PODS}/a`, { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } }),
    ],
    'of status conditions': [
      madeDeployment,
      strategicPatch(`${D}/status`, { status: { conditions: [{ type: 'Available', status: 'True' }] } }),
      strategicPatch(`${D}/status`, { status: { conditions: [{ type: 'Progressing', status: 'False' }] } }),
    ],
  }),
  ...subject('patch', {
    'of a type that is none': [
      madeA,
      { call: `PATCH ${A}`, body: {}, contentType: 'application/json' },
      { call: `PATCH ${A}`, body: {}, contentType: 'text/plain' },
    ],
    'of a collection': [mergePatch(CONFIG_MAPS, {})],
  }),
  ...subject('apply', {
    'makes an object': [applied('one', cm({ a: '1' }, { labels: { l: 'v' } })), applied('one', cm({ a: '1' }, { labels: { l: 'v' } }))],
    'in yaml': [apply(`${A}?fieldManager=one`, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n')],
    'takes back what it no longer says': [applied('one', cm({ a: '1', b: '2' })), applied('one', cm({ a: '1' }))],
    'a conflict': [applied('one', cm({ a: '1' })), applied('two', cm({ a: '2' })), applied('two', cm({ a: '2', c: '3' }))],
    'a conflict with several': [
      applied('one', cm({ a: '1', b: '1' })),
      applied('two', cm({ a: '1' })),
      applied('three', cm({ a: '9', b: '9' }, { labels: { x: 'y' } })),
    ],
    'a conflict with an update': [madeA, applied('one', cm({ k: 'x' }))],
    force: [applied('one', cm({ a: '1' })), applied('two', cm({ a: '2' }), '&force=true'), applied('one', cm({}))],
    'the same value is shared': [
      applied('one', cm({ a: '1' })),
      applied('two', cm({ a: '1' })),
      applied('one', cm({})),
      applied('two', cm({})),
    ],
    'without a manager': [apply(A, cm({ a: '1' }))],
    'with another name': [apply(`${A}?fieldManager=one`, configMap('b'))],
    'with another kind': [apply(`${A}?fieldManager=one`, pod('a'))],
    'without a kind': [apply(`${A}?fieldManager=one`, { metadata: { name: 'a' }, data: {} })],
    'with managed fields': [
      applied('one', cm({ a: '1' }, { managedFields: [] })),
      applied('one', cm({ a: '1' }, { managedFields: [{ manager: 'x' }] })),
    ],
    'with a version': [
      madeA,
      applied('one', cm({ x: '1' }, { resourceVersion: '$(rv)' })),
      applied('one', cm({ x: '2' }, { resourceVersion: '$(rv)' })),
      apply(`${CONFIG_MAPS}/none?fieldManager=one`, { ...configMap('none'), metadata: { name: 'none', resourceVersion: '7' } }),
    ],
    'with a uid': [
      apply(`${A}?fieldManager=one`, cm({}, { uid: '55555555-5555-5555-5555-555555555555' })),
      madeA,
      applied('one', cm({ y: '1' }, { uid: '$(uid)' })),
      applied('one', cm({ y: '2' }, { uid: '55555555-5555-5555-5555-555555555555' })),
    ],
    'a field of the wrong type': [applied('one', cm({ a: 7 }))],
    'an unknown field': [
      applied('one', { ...cm({ a: '7' }), nope: 1 }),
      applied('one', { ...cm({ a: '7' }), nope: 1 }, '&fieldValidation=Strict'),
    ],
    'a key twice': [
      apply(
        `${D}?fieldManager=one`,
        deployment('a', {
          template: {
            metadata: { labels: { app: 'a' } },
            spec: {
              containers: [
                { name: 'x', image: 'i' },
                { name: 'x', image: 'j' },
              ],
            },
          },
        }),
      ),
    ],
    'no key': [
      apply(
        `${D}?fieldManager=one`,
        deployment('a', { template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ image: 'i' }] } } }),
      ),
    ],
    'a key twice in yaml': ['', '&fieldValidation=Strict'].map((query) =>
      apply(`${A}?fieldManager=one${query}`, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: "1"\n  k: "2"\n'),
    ),
    'that is none': [applied('one', 'a: b: c' as unknown as object), applied('one', [] as unknown as object)],
    'a deployment': [
      apply(`${D}?fieldManager=one`, deployment('a', { replicas: 2 })),
      apply(`${D}?fieldManager=two`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        spec: { template: { spec: { containers: [{ name: 'side', image: 's:1', ports: [{ containerPort: 80 }] }] } } },
      }),
      apply(`${D}?fieldManager=one`, deployment('a')),
      apply(`${D}?fieldManager=two`, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } }),
    ],
    'gives the replicas away': [
      apply(`${D}?fieldManager=one`, deployment('a', { replicas: 2 })),
      mergePatch(`${D}/scale?fieldManager=scaler`, { spec: { replicas: 3 } }),
      apply(`${D}?fieldManager=one`, deployment('a', { replicas: 2 })),
      apply(`${D}?fieldManager=one`, deployment('a')),
    ],
    status: [
      madeDeployment,
      apply(`${D}/status?fieldManager=one`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        status: { replicas: 3 },
      }),
      apply(`${D}/status?fieldManager=one`, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } }),
    ],
    'an atomic map': [
      apply(`${SERVICES}/a?fieldManager=one`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { selector: { a: 'b' }, ports: [{ port: 80, protocol: 'TCP' }] },
      }),
      apply(`${SERVICES}/a?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'a' },
        spec: { selector: { a: 'b', c: 'd' } },
      }),
    ],
    'a set': [
      applied('one', cm({}, { finalizers: ['example.test/a'] })),
      applied('two', cm({}, { finalizers: ['example.test/b'] })),
      applied('one', cm({})),
    ],
    'env by name': [
      apply(
        `${PODS}/a?fieldManager=one`,
        pod('a', {
          containers: [
            {
              name: 'm',
              image: 'i',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '2' },
              ],
            },
          ],
        }),
      ),
      apply(`${PODS}/a?fieldManager=two`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'a', labels: { x: 'y' } },
      }),
    ],
    'dry run': [applied('one', cm({ a: '1' }), '&dryRun=All'), get(A)],
    'after an update takes fields': [
      applied('one', cm({ a: '1', b: '1' })),
      update(`${A}?fieldManager=hand`, configMap('a', { a: '2', b: '1' })),
      applied('one', cm({ a: '1', b: '1' })),
    ],
    'after another manager removes a field': [
      applied('one', cm({ a: '1', b: '1' })),
      mergePatch(`${A}?fieldManager=hand`, { data: { a: null } }),
      applied('one', cm({ a: '1', b: '1' })),
    ],
    'managed fields reset': [
      applied('one', cm({ a: '1' })),
      jsonPatch(A, [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }]),
      applied('two', cm({ a: '2' })),
    ],
    'managed fields edited': [
      applied('one', cm({ a: '1' })),
      jsonPatch(A, [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'renamed' }]),
      jsonPatch(A, [
        {
          op: 'replace',
          path: '/metadata/managedFields',
          value: [{ manager: 'x', operation: 'Sideways', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
        },
      ]),
    ],
    'an empty list and null': [applied('one', cm({ a: '1' }, { labels: null, annotations: {}, finalizers: [] }))],
    'a null value': [applied('one', { ...cm({ a: '1' }), data: null })],
  }),
  ...subject('managed fields', {
    'of an update and a patch': [
      madeA,
      mergePatch(`${A}?fieldManager=two`, { data: { k: 'w' } }),
      update(`${A}?fieldManager=three`, configMap('a', { k: 'w', z: 'z' })),
    ],
    'of lists of maps': [
      given(
        create(SERVICES, {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'a' },
          spec: {
            ports: [
              { name: 'a', port: 80 },
              { name: 'b', port: 81 },
            ],
          },
        }),
      ),
      strategicPatch(`${SERVICES}/a?fieldManager=two`, { spec: { ports: [{ port: 81, targetPort: 9 }] } }),
    ],
    'of a long user agent': [
      create(CONFIG_MAPS, configMap('a'), { headers: { 'User-Agent': 'Mozilla/5.0 (x)' } }),
      create(CONFIG_MAPS, configMap('b'), { headers: { 'User-Agent': `${'y'.repeat(200)}/1` } }),
    ],
    'of a user agent in other letters': [create(CONFIG_MAPS, configMap('a'), { headers: { 'User-Agent': 'a b/c' } })],
    'of a manager that is too long': [create(`${CONFIG_MAPS}?fieldManager=${'x'.repeat(129)}`, configMap('a'))],
    'of owner references and finalizers': [
      madeA,
      create(
        CONFIG_MAPS,
        configMap(
          'b',
          {},
          { finalizers: ['example.test/x'], ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: '$(uid)' }] },
        ),
      ),
    ],
  }),
  ...subject('field validation', {
    'an unknown field': ['', '?fieldValidation=Warn', '?fieldValidation=Ignore', '?fieldValidation=Strict', '?fieldValidation=Maybe'].map(
      (query, index) =>
        create(`${CONFIG_MAPS}${query}`, { ...configMap(`a${index}`), nope: 1, metadata: { name: `a${index}`, what: 'x' } }),
    ),
    'a field twice': ['', '?fieldValidation=Strict'].map((query) =>
      create(`${CONFIG_MAPS}${query}`, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1","k":"2"}}'),
    ),
    'a field twice in yaml': ['', '?fieldValidation=Strict'].map((query) =>
      create(`${CONFIG_MAPS}${query}`, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: "1"\n  k: "2"\n', {
        contentType: 'application/yaml',
      }),
    ),
    'an unknown field deep down': ['', '?fieldValidation=Strict'].map((query) =>
      create(
        `${DEPLOYMENTS}${query}`,
        deployment('a', {
          template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'x', image: 'i', imag: 'j' }], nodename: 'x' } },
        }),
      ),
    ),
    'in a merge patch': [
      madeA,
      ...['', '?fieldValidation=Strict'].map((query) => mergePatch(`${A}${query}`, { nope: 1, data: { z: '1' } })),
    ],
    'in a json patch': [
      madeA,
      ...['', '?fieldValidation=Strict'].map((query) => jsonPatch(`${A}${query}`, [{ op: 'add', path: '/nope', value: 1 }])),
    ],
    'in a strategic patch': [madeA, ...['', '?fieldValidation=Strict'].map((query) => strategicPatch(`${A}${query}`, { nope: 1 }))],
    'in an update': [
      madeA,
      ...['', '?fieldValidation=Strict'].map((query) => update(`${A}${query}`, { ...configMap('a'), nope: { a: 1 } })),
    ],
    'another case of letters': ['', '?fieldValidation=Strict'].map((query) =>
      create(`${CONFIG_MAPS}${query}`, '{"apiVersion":"v1","kind":"ConfigMap","Metadata":{"name":"a"},"metadata":{"name":"b"}}'),
    ),
  }),
  ...subject('dry run', {
    create: [create(`${CONFIG_MAPS}?dryRun=All`, configMap('a', { k: 'v' })), get(A)],
    'create with generateName': [
      create(`${CONFIG_MAPS}?dryRun=All`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } }),
    ],
    update: [madeA, update(`${A}?dryRun=All`, configMap('a', { k: 'w' })), get(A)],
    patch: [madeA, mergePatch(`${A}?dryRun=All`, { data: { k: 'w' } }), get(A)],
    delete: [madeA, { call: `DELETE ${A}?dryRun=All` }, get(A)],
    'delete by options': [madeA, { call: `DELETE ${A}`, body: { dryRun: ['All'] } }, get(A)],
    'delete with a finalizer': [
      given(create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.test/hold'] }))),
      { call: `DELETE ${A}?dryRun=All` },
      get(A),
    ],
    'of errors': [
      madeA,
      create(`${CONFIG_MAPS}?dryRun=All`, configMap('a')),
      create(`${CONFIG_MAPS}?dryRun=Some`, configMap('b')),
      create(`${CONFIG_MAPS}?dryRun=`, configMap('c')),
    ],
  }),
];
