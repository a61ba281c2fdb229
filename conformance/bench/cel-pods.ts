/** JSON as it comes from a request. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A small generator of numbers (mulberry32): the same pods in every run and on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Pods of different shapes: fields come in different orders, and some are left out. An engine's property accesses meet many
 * hidden classes then, as they do in a server; with one shape every engine looks faster than it is.
 */
export function podsOfManyShapes(count: number): readonly JsonObject[] {
  return Array.from({ length: count }, (_, i) => pod(random(i + 1), i));
}

function pod(next: () => number, index: number): JsonObject {
  const chance = (probability: number): boolean => next() < probability;
  const shuffled = (fields: Record<string, Json | undefined>): JsonObject => {
    const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
    const ordered = entries.map((entry) => [next(), entry] as const).sort(([a], [b]) => a - b);
    return Object.fromEntries(ordered.map(([, entry]) => entry)) as JsonObject;
  };
  const maybe = (probability: number, value: Json): Json | undefined => (chance(probability) ? value : undefined);
  const container = (name: string): JsonObject =>
    shuffled({
      name,
      image: `registry.example.com/team-${index % 5}/${name}:${1 + (index % 4)}.${index % 10}`,
      command: maybe(0.4, ['/bin/app', '--listen=:8080']),
      args: maybe(0.3, ['--verbose']),
      env: maybe(0.7, [
        { name: 'MODE', value: 'production' },
        { name: 'REGION', value: `eu-${index % 3}` },
      ]),
      ports: maybe(0.6, [{ name: 'http', containerPort: 8080, protocol: 'TCP' }]),
      resources: shuffled({ limits: { cpu: '500m', memory: '256Mi' }, requests: maybe(0.8, { cpu: '100m', memory: '128Mi' }) }),
      livenessProbe: maybe(0.5, { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 }),
      imagePullPolicy: maybe(0.6, 'IfNotPresent'),
      terminationMessagePath: maybe(0.5, '/dev/termination-log'),
      securityContext: shuffled({
        runAsNonRoot: true,
        runAsUser: maybe(0.5, 1000 + index),
        readOnlyRootFilesystem: maybe(0.7, true),
        allowPrivilegeEscalation: false,
        privileged: maybe(0.3, false),
        capabilities: { drop: ['ALL'] },
      }),
      volumeMounts: maybe(0.8, [{ name: 'config', mountPath: '/etc/app', readOnly: true }]),
    });
  const value = shuffled({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: shuffled({
      name: `web-${index}`,
      namespace: 'shop',
      uid: maybe(0.9, `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`),
      generateName: maybe(0.5, 'web-'),
      labels: shuffled({
        app: 'web',
        'app.kubernetes.io/name': 'web',
        tier: 'frontend',
        team: `team-${index % 5}`,
        extra: maybe(0.5, 'x'),
      }),
      annotations: maybe(0.7, { 'example.com/owner': 'shop', 'example.com/revision': String(index) }),
      creationTimestamp: null,
    }),
    spec: shuffled({
      containers: [container('web'), container('proxy'), container('logger')],
      initContainers: maybe(0.3, [container('init')]),
      serviceAccountName: 'web',
      nodeSelector: maybe(0.4, { 'kubernetes.io/os': 'linux' }),
      tolerations: maybe(0.5, [{ key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule' }]),
      terminationGracePeriodSeconds: 30,
      priority: maybe(0.6, index % 7),
      replicas: 3,
      hostNetwork: maybe(0.3, false),
      volumes: [
        { name: 'config', configMap: { name: 'web-config' } },
        { name: 'tmp', emptyDir: {} },
        { name: 'token', projected: { sources: [] } },
      ],
      restartPolicy: maybe(0.8, 'Always'),
      dnsPolicy: maybe(0.5, 'ClusterFirst'),
    }),
    status: maybe(0.4, { phase: 'Pending' }),
  });
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
