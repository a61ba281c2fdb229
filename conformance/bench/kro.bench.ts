import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { load, loadAll } from 'js-yaml';
import type { ApiClient } from '../cluster/client.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { freePorts } from '../cluster/ports.ts';
import { type RunningProcess, startProcess } from '../cluster/process.ts';
import { SuiteUnavailable } from '../suite.ts';
import { ensureGoTool, findOnPath } from '../tools/go-tool.ts';
import { kro } from '../tools/kro.ts';
import type { Bench, BenchContext, BenchRow } from './bench.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const INSTANCES = 200;
const CREATED_AT_ONCE = 8;
const SETTLE_DEADLINE_MS = 300_000;

/** One definition for both: three objects, the last of which refers to the one before. */
const DEFINITION = `
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: { name: benchapp }
spec:
  schema:
    apiVersion: v1alpha1
    kind: BenchApp
    spec: { replicas: "integer | default=1", image: "string | default=nginx", greeting: "string | default=hello" }
    status: { address: "\${service.spec.clusterIP}" }
  resources:
    - id: config
      template:
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: "\${schema.metadata.name}-config" }
        data: { greeting: "\${schema.spec.greeting}" }
    - id: service
      template:
        apiVersion: v1
        kind: Service
        metadata: { name: "\${schema.metadata.name}" }
        spec:
          selector: { app: "\${schema.metadata.name}" }
          ports: [{ port: 80, targetPort: 8080 }]
    - id: deployment
      template:
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: "\${schema.metadata.name}", labels: { service: "\${service.metadata.name}" } }
        spec:
          replicas: "\${schema.spec.replicas}"
          selector: { matchLabels: { app: "\${schema.metadata.name}" } }
          template:
            metadata: { labels: { app: "\${schema.metadata.name}" } }
            spec:
              containers:
                - name: main
                  image: "\${schema.spec.image}"
                  envFrom: [{ configMapRef: { name: "\${config.metadata.name}" } }]
`;

const INSTANCE_PATH = '/apis/kro.run/v1alpha1/namespaces/default/benchapps';

/** A controller that performs the definition, as a process of its own. */
interface Contender {
  readonly name: string;
  /** The audit log's user agents that are its own. */
  readonly userAgent: RegExp;
  start(cluster: Cluster, context: BenchContext): Promise<RunningProcess>;
}

interface Result {
  /** Milliseconds from the first instance created to all of them ready. */
  readonly ready: number;
  /** Requests of the controller per instance, watches and lists included; and those of them that write. */
  readonly requests: number;
  readonly writes: number;
}

/**
 * The same ResourceGraphDefinition under kro and under Fairlead, each on a kube-apiserver of its own with nothing else running.
 * Instances have to say Ready; no kubelet runs, and the definition asks for no readiness of its objects.
 */
export const bench: Bench = {
  name: 'kro',
  description: `a ResourceGraphDefinition of three objects, ${INSTANCES} instances on kube-apiserver, beside kro ${kro.version}`,
  async *run(context): AsyncIterable<BenchRow> {
    const executable = join(ROOT, 'dist', 'fairlead.js');
    if (!existsSync(executable)) throw new SuiteUnavailable('dist/ is not built; npm run build');
    const ours = await measure(fairlead(executable), context);
    const asItComes = await measure(kroController('kro', []), context);
    const unlimited = await measure(kroController('kro without its limits', UNLIMITED), context);
    for (const { name, result } of [
      { name: 'kro', result: asItComes },
      { name: 'kro, limits lifted', result: unlimited },
    ]) {
      const reference = (value: number) => ({ name, value });
      yield { name: `${INSTANCES} instances to ready`, unit: 'ms', ours: ours.ready, reference: reference(result.ready), better: 'lower' };
      yield { name: 'requests per instance', unit: '', ours: ours.requests, reference: reference(result.requests), better: 'lower' };
      yield { name: 'writes per instance', unit: '', ours: ours.writes, reference: reference(result.writes), better: 'lower' };
    }
  },
};

async function measure(contender: Contender, context: BenchContext): Promise<Result> {
  const { log, signal } = context;
  const cluster = await startCluster({ log, signal, audit: true });
  try {
    const { admin } = cluster;
    const controller = await contender.start(cluster, context);
    try {
      await until(`${contender.name} serves the definition`, context, controller, async () => {
        return (await admin.request({ path: INSTANCE_PATH })).status === 200;
      });
      const before = cluster.auditEvents().length;
      const began = performance.now();
      await createInstances(admin);
      await until(`${contender.name} has all instances ready`, context, controller, () => allReady(admin));
      const ready = performance.now() - began;
      // What is left over from the last instances belongs to them, too.
      await delay(2000);
      const own = cluster
        .auditEvents()
        .slice(before)
        .filter(({ userAgent }) => contender.userAgent.test(userAgent ?? ''));
      const writes = own.filter(({ verb }) => verb !== 'get' && verb !== 'list' && verb !== 'watch');
      log(`${contender.name}: ${INSTANCES} instances in ${Math.round(ready)} ms, ${own.length} requests, ${writes.length} writes`);
      return { ready, requests: own.length / INSTANCES, writes: writes.length / INSTANCES };
    } finally {
      await controller.stop();
    }
  } finally {
    await cluster.stop();
  }
}

async function createInstances(admin: ApiClient): Promise<void> {
  let next = 0;
  const create = async (): Promise<void> => {
    for (let index = next++; index < INSTANCES; index = next++) {
      const spec = { replicas: index % 3, image: `registry.local/app:${index}`, greeting: `hello ${index}` };
      const body = { apiVersion: 'kro.run/v1alpha1', kind: 'BenchApp', metadata: { name: `app-${index}` }, spec };
      await admin.expect({ method: 'POST', path: INSTANCE_PATH, body });
    }
  };
  await Promise.all(Array.from({ length: CREATED_AT_ONCE }, create));
}

interface InstanceList {
  readonly items: readonly { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }[];
}

async function allReady(admin: ApiClient): Promise<boolean> {
  const { items } = (await admin.expect({ path: INSTANCE_PATH })).body as InstanceList;
  return items.every(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'));
}

async function until(what: string, context: BenchContext, process: RunningProcess, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SETTLE_DEADLINE_MS;
  while (!(await holds())) {
    context.signal.throwIfAborted();
    if (process.exit) throw new Error(`${process.name} ended:\n${process.tail()}`);
    if (performance.now() > deadline) throw new Error(`${what}: not within ${SETTLE_DEADLINE_MS / 1000} s:\n${process.tail()}`);
    await delay(100);
  }
}

function fairlead(executable: string): Contender {
  return {
    name: 'fairlead',
    userAgent: /^fairlead/,
    async start({ kubeconfig, folder }) {
      const rule = join(folder, 'benchapp.yaml');
      writeFileSync(rule, DEFINITION);
      const args = [executable, 'serve', rule, '--cluster', '--kubeconfig', kubeconfig, '--leader-elect', 'false'];
      return startProcess('fairlead', process.execPath, args, join(folder, 'fairlead.log'), folder);
    },
  };
}

/** What slows kro down by design, lifted: the client's and the queue's limits, and one instance at a time. */
const UNLIMITED = [
  '--client-qps=5000',
  '--client-burst=5000',
  '--dynamic-controller-concurrent-reconciles=16',
  '--dynamic-controller-rate-limiter-rate-limit=5000',
  '--dynamic-controller-rate-limiter-burst-limit=5000',
];

function kroController(name: string, flags: readonly string[]): Contender {
  return {
    name,
    userAgent: /^kro\//,
    async start({ admin, kubeconfig, folder }, { log, signal }) {
      const bin = await ensureGoTool(kro, ['controller'], { log, signal });
      for (const definition of kroDefinitions()) {
        await admin.expect({ method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body: definition });
      }
      const [metrics, probes] = await freePorts(2);
      const args = [`--metrics-bind-address=127.0.0.1:${metrics}`, `--health-probe-bind-address=127.0.0.1:${probes}`, ...flags];
      const started = startProcess(
        'kro',
        join(bin, 'controller'),
        [`--kubeconfig=${kubeconfig}`, ...args],
        join(folder, 'kro.log'),
        folder,
      );
      const path = '/apis/kro.run/v1alpha1/resourcegraphdefinitions';
      const served = async () => (await admin.request({ path })).status === 200;
      while (!(await served())) {
        signal.throwIfAborted();
        await delay(100);
      }
      await admin.expect({ method: 'POST', path, body: load(DEFINITION) });
      return started;
    },
  };
}

/** The CustomResourceDefinitions that kro's chart installs, as the module ships them. */
function kroDefinitions(): unknown[] {
  const go = findOnPath('go');
  if (go === undefined) throw new SuiteUnavailable("there is no Go on PATH to find kro's module with");
  const module = execFileSync(go, ['list', '-m', '-f', '{{.Dir}}', 'github.com/kubernetes-sigs/kro'], {
    cwd: kro.module,
    encoding: 'utf8',
  });
  const folder = join(module.trim(), 'helm', 'crds');
  return readdirSync(folder).flatMap((file) => loadAll(readFileSync(join(folder, file), 'utf8')));
}
