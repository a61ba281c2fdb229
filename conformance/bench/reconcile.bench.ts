import { compileBundle } from '../../engine/bundle/compile.ts';
import type { JsonObject } from '../../engine/object/json.ts';
import { parseYaml } from '../../engine/text/yaml.ts';
import { startController } from '../../runtimes/controller/controller.ts';
import type { ActiveBundle } from '../../runtimes/host/bundle-watch.ts';
import { urlConnection } from '../../runtimes/kubernetes/connect.ts';
import { startEmbeddedServer } from '../../runtimes/kubernetes/embedded/server.ts';
import { createKubernetesClient } from '../../runtimes/kubernetes/kubernetes-client.ts';
import { mortalClient } from '../crash/mortal-client.ts';
import type { Bench, BenchRow } from './bench.ts';
import { percentile, relativeSpread } from './measure.ts';

const INSTANCES = 1000;
const ROUNDS = 15;
/** First status, inventory, three objects, last status. */
const LEAST_WRITES = 6;

/** A rule of three objects, of which the second and third depend on the first. The number in it changes nothing that is wanted. */
const rule = (number: number): string => `
apiVersion: fairlead.dev/v1alpha1
kind: ReconcileRule
metadata: { name: app }
spec:
  description: number ${number}
  resource:
    group: bench.example.com
    version: v1
    kind: App
    spec: { image: "string | required", port: "integer | default=80", size: "integer | default=1" }
    status: { address: string }
  variables:
  - { name: number, expression: "${number}" }
  objects:
  - id: config
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: "\${self.metadata.name}" }
      data: { image: "\${self.spec.image}", size: "\${string(self.spec.size + 0 * variables.number)}" }
  - id: account
    template:
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: "\${config.metadata.name}" }
  - id: service
    template:
      apiVersion: v1
      kind: Service
      metadata: { name: "\${config.metadata.name}", labels: { app: "\${self.metadata.name}" } }
      spec: { selector: { app: "\${self.metadata.name}" }, ports: [{ port: "\${self.spec.port}" }] }
  status: { address: "\${service.metadata.name}.\${self.metadata.namespace}" }
`;

function bundleOf(number: number, generation: number): ActiveBundle {
  const bundle = compileBundle(parseYaml({ name: 'rule.yaml', text: rule(number) }).documents);
  if (bundle.program === undefined) throw new Error(bundle.diagnostics.map(({ message }) => message).join('; '));
  return { bundle: { ...bundle, name: 'bench' }, program: bundle.program, generation, since: 0 };
}

/** Instances from nothing to ready, the writes that takes, and looks at instances of which nothing is to be changed. */
export const bench: Bench = {
  name: 'reconcile',
  description: `a rule of three objects and ${INSTANCES} instances of it, against the embedded server in the same process`,
  async *run({ log, signal }): AsyncIterable<BenchRow> {
    const server = await startEmbeddedServer();
    const client = mortalClient(createKubernetesClient({ connection: urlConnection(server.url) }), undefined);
    let active = bundleOf(1, 1);
    let changes = 0;
    const controller = await startController({ client, bundle: { current: () => active }, leaderElection: false, bundlePeriod: 3_600_000 });
    try {
      await controller.idle();
      await waitFor(() => server.registry.ofKind('bench.example.com/v1', 'App') !== undefined);
      await controller.idle();
      const type = server.registry.ofKind('bench.example.com/v1', 'App')!;
      log(`making ${INSTANCES} instances`);
      let ready = 0;
      const unsubscribe = server.registry.subscribe(({ resource, object, previous }) => {
        // What this process makes by itself is no write of the controller.
        if (resource !== 'bench.example.com/apps' || previous !== undefined) changes++;
        if (resource === 'bench.example.com/apps' && isReady(object) && (previous === undefined || !isReady(previous))) ready++;
      });
      const before = client.writes;
      const worked = processorTime();
      const began = performance.now();
      for (let i = 0; i < INSTANCES; i++) {
        const metadata = { namespace: 'default', name: `app-${i}` };
        await server.registry.create(type, {
          apiVersion: 'bench.example.com/v1',
          kind: 'App',
          metadata,
          spec: { image: `image:${i}`, size: i % 5 },
        });
      }
      await waitFor(() => ready >= INSTANCES || signal.aborted);
      const seconds = (performance.now() - began) / 1000;
      const processor = processorTime() - worked;
      await controller.idle();
      unsubscribe();
      const writes = client.writes - before;
      yield {
        name: `${INSTANCES} instances from nothing to ready`,
        unit: 's',
        ours: seconds,
        better: 'lower',
        note: `${processor.toFixed(1)} s of processor time, server and controller together`,
      };
      yield {
        name: 'writes per instance',
        unit: 'writes',
        ours: writes / INSTANCES,
        reference: { name: 'first status, inventory, three objects, last status', value: LEAST_WRITES },
        better: 'lower',
        goal: 'no more than these',
      };
      yield { name: 'writes that changed nothing', unit: 'writes', ours: writes - changes, better: 'lower', goal: 'none' };

      const rates: number[] = [];
      const costs: number[] = [];
      const settled = client.writes;
      for (let round = 0; round < ROUNDS + 3 && !signal.aborted; round++) {
        active = bundleOf((round % 2) + 2, round + 2);
        const start = performance.now();
        const worked = processorTime();
        controller.refresh();
        await controller.idle();
        // Optimised code comes with use.
        if (round < 3) continue;
        rates.push(INSTANCES / ((performance.now() - start) / 1000));
        costs.push(((processorTime() - worked) / INSTANCES) * 1e6);
      }
      yield {
        name: 'looks at instances that are as they are to be',
        unit: 'per s',
        ours: percentile(rates, 0.5),
        spread: relativeSpread(rates),
        better: 'higher',
        goal: 'at least 5,000',
        note: `${Math.round(percentile(costs, 0.5))} µs of processor time each, ${client.writes - settled} writes`,
      };
    } finally {
      await controller.stop();
      client.close();
      await server.close();
    }
  },
};

/** Seconds that this process has kept processors busy: on a busy machine they vary less than those of the clock. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function isReady(object: JsonObject): boolean {
  const status = object['status'] as { readonly conditions?: readonly JsonObject[] } | undefined;
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

async function waitFor(condition: () => boolean): Promise<void> {
  const end = performance.now() + 300_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
