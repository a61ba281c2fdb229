import { type ChildProcess, fork } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startAdmissionServer } from '../../runtimes/admission/server.ts';
import { fixedBundle } from '../../runtimes/host/bundle-watch.ts';
import { createAuthority, issueServerCertificate } from '../../runtimes/host/certificates.ts';
import { secureContextOptions, tlsSource } from '../../runtimes/host/tls.ts';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';
import type { LoadOrder, LoadResult } from './webhook-load.ts';
import { WEBHOOK_RULES, webhookBundle } from './webhook-rules.ts';

const CONNECTIONS = 16;
const ROUNDS = 13;
const MILLISECONDS = 600;
const WARM_UP = 4;

const ALLOWED = '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"","allowed":true}}';

/** What a webhook is measured beside: servers that do nothing of their own. */
const REFERENCES = {
  /** The least that any webhook must do: read the body, parse it, echo the uid. */
  'node:https, parse and allow': (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly request: { readonly uid: string } };
      const { uid } = review.request;
      answer(response, ALLOWED.replace('""', JSON.stringify(uid)));
    });
  },
  /** The empty handler: waits for the end of the body, as every webhook must, but neither keeps nor reads it. */
  'node:https, constant answer': (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    request.on('end', () => answer(response, ALLOWED));
  },
} as const;

interface Round extends LoadResult {
  /** Microseconds of this process per request. */
  readonly cpu: number;
}

function answer(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': text.length });
  response.end(text);
}

/** Requests per second of the whole webhook and of both references, in turns. */
export const bench: Bench = {
  name: 'webhook',
  description: `AdmissionReviews over TLS, ${CONNECTIONS} keep-alive connections, ${WEBHOOK_RULES} rules, beside handlers without rules`,
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const authority = createAuthority(Date.now());
    const tls = tlsSource(issueServerCertificate(authority, ['localhost', '127.0.0.1'], Date.now()));
    const body = JSON.stringify(podReview());
    const ours = await startAdmissionServer({
      bundle: fixedBundle(webhookBundle()),
      tls,
      host: '127.0.0.1',
      limits: { maxConnectionAge: 3_600_000 },
    });
    const references = await Promise.all(
      Object.entries(REFERENCES).map(async ([name, handler]) => {
        const server = createServer({ ...secureContextOptions(tls.current()), keepAliveTimeout: 600_000 }, handler);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return { name, server, port: (server.address() as AddressInfo).port };
      }),
    );
    const generator = fork(fileURLToPath(new URL('webhook-load.ts', import.meta.url)));
    try {
      const head = `POST /validate?timeout=10s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-apiserver-admission\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      const round = async (port: number): Promise<Round> => {
        const order: LoadOrder = { port, ca: authority.cert, connections: CONNECTIONS, milliseconds: MILLISECONDS, request: head + body };
        const before = process.cpuUsage();
        const result = await load(generator, order);
        const { user, system } = process.cpuUsage(before);
        return { ...result, cpu: (user + system) / result.requests };
      };
      log(`${Buffer.byteLength(body)} bytes per request, ${ROUNDS} rounds of ${MILLISECONDS} ms for each server`);
      const contestants = [{ name: 'ours', port: ours.port }, ...references].map(({ name, port }) => ({
        name,
        port,
        results: [] as Round[],
      }));
      // Optimised code comes with use; a round or two are not enough on a busy machine.
      for (let turn = 0; turn < WARM_UP; turn++) for (const { port } of contestants) await round(port);
      for (let turn = 0; turn < ROUNDS && !signal.aborted; turn++) {
        for (const { port, results } of contestants) results.push(await round(port));
      }
      const [first, ...others] = contestants.map(({ name, results }) => ({
        name,
        results,
        failed: results.reduce((sum, { failed }) => sum + failed, 0),
      }));
      const compare = (unit: string, better: 'higher' | 'lower', pick: (round: Round) => number, reference: (typeof others)[number]) => ({
        unit,
        better,
        ours: percentile(first!.results.map(pick), 0.5),
        reference: { name: reference.name, value: percentile(reference.results.map(pick), 0.5) },
        spread: relativeSpread(first!.results.map((result, turn) => pick(result) / pick(reference.results[turn]!))),
      });
      for (const [index, reference] of others.entries()) {
        yield {
          name: `validate a pod, ${WEBHOOK_RULES} rules`,
          ...compare('req/s', 'higher', ({ perSecond }) => perSecond, reference),
          ...(index === 0 ? { goal: 'at least 0.8' } : {}),
          ...(first!.failed === 0 ? {} : { note: `${first!.failed} requests failed` }),
        };
      }
      // Unlike the rates, hardly moved by what else the machine does.
      for (const reference of others)
        yield { name: 'processor time of the server', ...compare('µs', 'lower', ({ cpu }) => cpu, reference) };
      for (const reference of others) yield { name: 'slowest of a hundred', ...compare('ms', 'lower', ({ p99 }) => p99, reference) };
    } finally {
      generator.kill();
      for (const { server } of references) {
        server.closeAllConnections();
        server.close();
      }
      await ours.close({ grace: 0 });
      tls.close();
    }
  },
};

function load(generator: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the load generator ended'));
    generator.once('exit', ended);
    generator.once('message', (result: LoadResult) => {
      generator.off('exit', ended);
      resolve(result);
    });
    generator.send(order);
  });
}

/** A review of a pod of three containers as an API server sends it, some 6 KB. */
function podReview(): unknown {
  const container = (name: string) => ({
    name,
    image: `registry.example.com/shop/${name}:1.24.3`,
    args: ['--listen=:8080', '--log-format=json', `--name=${name}`],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 6 }, (_, index) => ({ name: `SETTING_${index}`, value: `value of setting ${index} of ${name}` })),
    resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    livenessProbe: { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, failureThreshold: 3 },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      { name: 'kube-api-access-x2x4z', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'checkout-6f7d8c9b5d-x2x4z',
      generateName: 'checkout-6f7d8c9b5d-',
      namespace: 'shop',
      uid: '1f0f5bfa-2b6a-4a1c-9d3c-6d5be0f8c6b1',
      creationTimestamp: '2026-01-01T10:00:00Z',
      labels: { app: 'checkout', team: 'payments', 'pod-template-hash': '6f7d8c9b5d', 'app.kubernetes.io/managed-by': 'helm' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'checkout-6f7d8c9b5d',
          uid: 'c9a1c5c6-0000-4f5e-8a43-1f0e0d0c0b0a',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2026-01-01T10:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {}, 'f:team': {} } },
            'f:spec': { 'f:containers': {}, 'f:restartPolicy': {} },
          },
        },
      ],
    },
    spec: {
      containers: [container('web'), container('worker'), container('proxy')],
      volumes: [
        { name: 'config', configMap: { name: 'checkout-config', defaultMode: 420 } },
        {
          name: 'kube-api-access-x2x4z',
          projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }], defaultMode: 420 },
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'checkout',
      serviceAccount: 'checkout',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      schedulerName: 'default-scheduler',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  };
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: pod.metadata.name,
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:serviceaccounts', 'system:authenticated'],
      },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}
