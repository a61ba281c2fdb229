import { create, get, given, mergePatch, remove, type Step, subject, update, watch } from '../case.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment, PODS, pod, SECRETS } from './objects.ts';

const THREE: readonly Step[] = ['a', 'b', 'c'].map((name, index) =>
  given(
    create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels: { app: name, tier: index < 2 ? 'front' : 'back' } } }),
  ),
);
const selector = (text: string): string => `${SECRETS}?labelSelector=${encodeURIComponent(text)}`;
const fields = (path: string, text: string): string => `${path}?fieldSelector=${encodeURIComponent(text)}`;
const names = (body: unknown): unknown => {
  const { items, kind, apiVersion, metadata, ...rest } = body as { items?: { metadata: { name: string } }[]; [key: string]: unknown };
  return items === undefined ? body : { kind, apiVersion, metadata, ...rest, names: items.map((item) => item.metadata.name) };
};
const listed = given(get(SECRETS, { keep: { rv: '/metadata/resourceVersion' } }));
const patchA = (value: string): Step => given(mergePatch(`${SECRETS}/a`, { metadata: { annotations: { a: value } } }));
interface WatchEvent {
  readonly type?: string;
  readonly object?: {
    readonly kind: string;
    readonly metadata: { readonly name?: string; readonly annotations?: object; readonly labels?: object };
  };
}
/** An event without what other cases compare; what is none, or tells an error or a bookmark, is compared as it is. */
const brief = (event: unknown): unknown => {
  const { type, object } = event as WatchEvent;
  if (object === undefined || type === 'ERROR' || type === 'BOOKMARK') return event;
  const { name, annotations, labels } = object.metadata;
  return { type, kind: object.kind, name, annotations, labels };
};

/** LIST and WATCH. */
export const listWatchCases = [
  ...subject('list', {
    'config maps': [
      given(create(CONFIG_MAPS, configMap('b', { k: 'v' }))),
      given(create(CONFIG_MAPS, configMap('a', {}))),
      get(`${CONFIG_MAPS}?fieldSelector=metadata.name!%3Dkube-root-ca.crt`),
    ],
    nothing: [get(SECRETS), get(DEPLOYMENTS), get('/apis/apps/v1/namespaces/nowhere/deployments')],
    'across namespaces': [...THREE, get('/api/v1/secrets?labelSelector=app%3Da&fieldSelector=metadata.namespace%3D$(ns)', { pick: names })],
    'of what may not be listed': [get('/api/v1/namespaces/$(ns)/bindings'), create('/api/v1/bindings', {})],
    'in a limit': [
      ...THREE,
      get(`${SECRETS}?limit=2`, { pick: names, keep: { next: '/metadata/continue' } }),
      get(`${SECRETS}?limit=2&continue=$(next)`, { pick: names }),
      get(`${SECRETS}?limit=3`, { pick: names }),
    ],
    'in a limit with a selector': [
      ...THREE,
      get(`${SECRETS}?limit=1&labelSelector=tier%3Dfront`, { pick: names, keep: { next: '/metadata/continue' } }),
      get(`${SECRETS}?limit=1&labelSelector=tier%3Dfront&continue=$(next)`, { pick: names }),
    ],
    'continued as it was': [
      ...THREE,
      get(`${SECRETS}?limit=1`, { pick: names, keep: { next: '/metadata/continue' } }),
      given(remove(`${SECRETS}/b`)),
      given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'd' } })),
      get(`${SECRETS}?limit=5&continue=$(next)`, { pick: names }),
    ],
    'continued wrongly': [
      get(`${SECRETS}?limit=1&continue=nonsense`),
      get(`${SECRETS}?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0`, { pick: expiredContinue }),
      get(`${SECRETS}?limit=-1`),
      get(`${SECRETS}?limit=many`),
    ],
    'continued with a version': [
      ...THREE,
      get(`${SECRETS}?limit=1`, { pick: names, keep: { next: '/metadata/continue', rv: '/metadata/resourceVersion' } }),
      get(`${SECRETS}?limit=1&continue=$(next)&resourceVersion=$(rv)`),
      get(`${SECRETS}?limit=1&continue=$(next)&resourceVersion=0`, { pick: names }),
      get(`${SECRETS}?limit=1&continue=$(next)&resourceVersionMatch=Exact`),
    ],
    'at a version': [
      ...THREE,
      listed,
      given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'd' } })),
      get(`${SECRETS}?resourceVersion=$(rv)&resourceVersionMatch=Exact`, { pick: names }),
      get(`${SECRETS}?resourceVersion=$(rv)&resourceVersionMatch=NotOlderThan`, { pick: names }),
      get(`${SECRETS}?resourceVersion=$(rv)`, { pick: names }),
      get(`${SECRETS}?resourceVersion=0&resourceVersionMatch=NotOlderThan`, { compare: 'status' }),
      get(`${SECRETS}?resourceVersion=0&resourceVersionMatch=Exact`),
      get(`${SECRETS}?resourceVersionMatch=Exact`),
      get(`${SECRETS}?resourceVersion=$(rv)&resourceVersionMatch=Sideways`),
      get(`${SECRETS}?resourceVersion=abc`),
      get(`${SECRETS}?resourceVersion=-5`),
    ],
    'at a version of the future': [get(`${SECRETS}?resourceVersion=99999999999`, { pick: tooLarge })],
    'at a version of the future, exactly': [get(`${SECRETS}?resourceVersion=99999999999&resourceVersionMatch=Exact`, { pick: tooLarge })],
    'initial events without a watch': [get(`${SECRETS}?sendInitialEvents=true`), get(`${SECRETS}?sendInitialEvents=maybe`)],
    'a path with a slash at the end': [get(`${CONFIG_MAPS}/`, { compare: 'status' })],
  }),
  ...subject('label selector', {
    equality: [
      ...THREE,
      ...['app=a', 'app==a', 'app!=a', '!app', 'app', 'nothere', ''].map((each) => get(selector(each), { pick: names })),
    ],
    sets: [
      ...THREE,
      ...['app in (a,b)', 'app notin (a, b)', 'app in (a),tier=front', 'app in ()', 'tier in (front,)'].map((each) =>
        get(selector(each), { pick: names }),
      ),
    ],
    numbers: [...THREE, ...['app>1', 'app<1', 'app>x'].map((each) => get(selector(each), { pick: names }))],
    errors: ['a b', 'app=a=b', 'app in a', 'app,', ',', 'app==', '-bad=x', 'app=not/ok', 'app in (a', '=', 'a/b/c=x'].map((each) =>
      get(selector(each), { pick: names }),
    ),
  }),
  ...subject('field selector', {
    metadata: [
      ...THREE,
      ...[
        'metadata.name=a',
        'metadata.name==a',
        'metadata.name!=a',
        'metadata.namespace=other',
        'type=Opaque',
        'metadata.name=a,type!=x',
      ].map((each) => get(fields(SECRETS, each), { pick: names })),
    ],
    pods: [
      given(create(PODS, pod('a', { nodeName: 'n1' }))),
      given(create(PODS, pod('b', { restartPolicy: 'Never' }))),
      ...['spec.nodeName=n1', 'spec.nodeName=', 'status.phase=Pending', 'status.phase!=Pending', 'spec.restartPolicy=Never'].map((each) =>
        get(fields(PODS, each), { pick: names }),
      ),
    ],
    errors: [
      ...['data.x=1', 'metadata.labels=a', 'metadata.name', 'metadata.name>a', '=', 'a=b=c', 'metadata.name=a,,'].map((each) =>
        get(fields(CONFIG_MAPS, each), { pick: names }),
      ),
      get(fields(PODS, 'spec.containers=x')),
      get(fields(DEPLOYMENTS, 'spec.replicas=1')),
    ],
  }),
  ...subject('watch', {
    'a life': [
      listed,
      watch(`${SECRETS}?watch=true&resourceVersion=$(rv)`, {
        until: 4,
        during: [
          given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })),
          given(mergePatch(`${SECRETS}/a`, { metadata: { labels: { a: 'b' } } })),
          given(update(`${SECRETS}/a`, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name: 'a' } })),
          given(remove(`${SECRETS}/a`)),
        ],
      }),
    ],
    'from the beginning': [...THREE, watch(`${SECRETS}?watch=true`, { until: 4, during: [patchA('1')] }, { pick: brief })],
    'from version 0': [...THREE, watch(`${SECRETS}?watch=true&resourceVersion=0`, { until: 4, during: [patchA('1')] }, { pick: brief })],
    'from a version of before': [
      listed,
      ...THREE,
      patchA('1'),
      given(remove(`${SECRETS}/b`)),
      watch(`${SECRETS}?watch=true&resourceVersion=$(rv)`, { until: 5 }, { pick: brief }),
    ],
    'with a selector': [
      ...THREE,
      listed,
      watch(`${SECRETS}?watch=true&resourceVersion=$(rv)&labelSelector=tier%3Dfront`, {
        until: 5,
        during: [
          given(mergePatch(`${SECRETS}/c`, { metadata: { annotations: { not: 'seen' } } })),
          given(mergePatch(`${SECRETS}/c`, { metadata: { labels: { tier: 'front' } } })),
          patchA('1'),
          given(mergePatch(`${SECRETS}/c`, { metadata: { labels: { tier: 'back' } } })),
          given(remove(`${SECRETS}/c`)),
          given(remove(`${SECRETS}/a`)),
          given(remove(`${SECRETS}/b`)),
        ],
      }),
    ],
    'one object by name': [
      ...THREE,
      listed,
      watch(
        `${SECRETS}?watch=true&resourceVersion=$(rv)&fieldSelector=metadata.name%3Da`,
        { until: 2, during: [given(remove(`${SECRETS}/b`)), patchA('1'), given(remove(`${SECRETS}/a`))] },
        { pick: brief },
      ),
    ],
    'one object by its path': [
      ...THREE,
      listed,
      watch(
        `${SECRETS}/a?watch=true&resourceVersion=$(rv)`,
        { until: 1, during: [given(remove(`${SECRETS}/b`)), patchA('1')] },
        { pick: brief },
      ),
    ],
    'by the old path': [
      listed,
      ...THREE,
      watch('/api/v1/watch/namespaces/$(ns)/secrets?resourceVersion=$(rv)', { until: 3 }, { pick: brief }),
    ],
    'a timeout': [listed, watch(`${SECRETS}?watch=true&resourceVersion=$(rv)&timeoutSeconds=1`, { until: 'closed' })],
    'a timeout with bookmarks': [
      ...THREE,
      listed,
      watch(`${SECRETS}?watch=true&resourceVersion=$(rv)&timeoutSeconds=3&allowWatchBookmarks=true`, { until: 1 }),
    ],
    'streaming list': [
      ...THREE,
      watch(
        `${SECRETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
        { until: 4 },
        { pick: brief },
      ),
    ],
    'streaming list with a version': [
      ...THREE,
      listed,
      watch(
        `${SECRETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=$(rv)&labelSelector=tier%3Dfront`,
        { until: 4, during: [patchA('1')] },
        { pick: brief },
      ),
    ],
    'streaming list, wrongly asked': [
      watch(`${SECRETS}?watch=true&sendInitialEvents=true`, { until: 1 }),
      watch(`${SECRETS}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact`, { until: 1 }),
      watch(`${SECRETS}?watch=true&resourceVersionMatch=NotOlderThan`, { until: 1 }),
    ],
    'without initial events': [
      ...THREE,
      watch(
        `${SECRETS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
        { until: 1, during: [patchA('1')] },
        { pick: brief },
      ),
    ],
    'from a version that is none': [
      watch(`${SECRETS}?watch=true&resourceVersion=abc`, { until: 1 }),
      watch(`${SECRETS}?watch=true&resourceVersion=-1`, { until: 1 }),
    ],
    'with bad selectors': [
      watch(`${SECRETS}?watch=true&labelSelector=a%20b`, { until: 1 }),
      watch(`${SECRETS}?watch=true&fieldSelector=data.x%3Db`, { until: 1 }),
      watch(`${SECRETS}?watch=true&timeoutSeconds=abc`, { until: 1 }),
    ],
    'deletion with a finalizer': [
      listed,
      watch(`${SECRETS}?watch=true&resourceVersion=$(rv)`, {
        until: 3,
        during: [
          given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', finalizers: ['example.test/hold'] } })),
          given(remove(`${SECRETS}/a`)),
          given(mergePatch(`${SECRETS}/a`, { metadata: { finalizers: [] } })),
        ],
      }),
    ],
    'of writes that change nothing': [
      ...THREE,
      listed,
      watch(
        `${SECRETS}?watch=true&resourceVersion=$(rv)`,
        {
          until: 1,
          during: [given(mergePatch(`${SECRETS}/a`, {})), given(mergePatch(`${SECRETS}/b`, { metadata: { labels: { z: 'z' } } }))],
        },
        { pick: brief },
      ),
    ],
    'of metadata only': [
      listed,
      watch(
        `${SECRETS}?watch=true&resourceVersion=$(rv)`,
        {
          until: 1,
          during: [given(create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'b' } }))],
        },
        { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' },
      ),
    ],
    'of tables': [
      given(get(DEPLOYMENTS, { keep: { rv: '/metadata/resourceVersion' } })),
      watch(
        `${DEPLOYMENTS}?watch=true&resourceVersion=$(rv)`,
        {
          until: 2,
          during: [
            given(create(DEPLOYMENTS, deployment('a'))),
            given(mergePatch(`${DEPLOYMENTS}/a`, { metadata: { labels: { a: 'b' } } })),
          ],
        },
        { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json', pick: withoutAge },
      ),
    ],
  }),
];

/** A table's cell of the time that has passed. */
function withoutAge(event: unknown): unknown {
  const { object, ...rest } = event as { object: { rows?: { cells: unknown[] }[] } };
  const rows = object.rows?.map((row) => ({ ...row, cells: row.cells.map((cell) => (/^\d+m?s$/.test(String(cell)) ? '<age>' : cell)) }));
  return { ...rest, object: { ...object, ...(rows ? { rows } : {}) } };
}

/** Of the answer to a token whose version is gone: the new token in it differs. */
function expiredContinue(body: unknown): unknown {
  const { reason, code, status } = body as Record<string, unknown>;
  return { reason, code, status };
}

/** Server and storage word it differently from time to time. */
function tooLarge(body: unknown): unknown {
  const { reason, code, status, details } = body as Record<string, unknown>;
  return { reason, code, status, details };
}
