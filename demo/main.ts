import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import type { AdmissionDecision } from '../engine/rules/admission/decision.ts';
import { immediateFacts } from '../runtimes/admission/facts.ts';
import { startAdmissionServer } from '../runtimes/admission/server.ts';
import { decideRecorded } from '../runtimes/cli/decide-recorded.ts';
import { fixedBundle } from '../runtimes/host/bundle-watch.ts';
import { developmentTls } from '../runtimes/host/certificates.ts';
import { type Review, reviewClient } from './api-server.ts';
import { type Library, loadLibrary, runLibraryTests } from './library.ts';
import { showNetwork } from './network.ts';
import { showReconcile } from './reconcile.ts';
import { type RecordedCluster, readCluster } from './recorded-cluster.ts';

/*
 * The demonstration, in three parts. The admission rules of the library meet a recorded cluster: checked, tested and dry-run, then the same
 * over the wire, by a webhook that is asked as an API server asks. Its reconcile rules run on an API server in this process. And its network
 * rules say what they would do to a kernel. Needs no cluster and no rights, leaves nothing behind.
 */

const root = resolve(dirname(process.argv[1] ?? '.'), '..');
const heading = (text: string) => process.stdout.write(`\n${styleText('bold', text)}\n`);
const line = (text: string) => process.stdout.write(`  ${text}\n`);
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

async function main(): Promise<boolean> {
  const started = performance.now();
  process.stdout.write(styleText('bold', 'Fairlead: the rule library against a recorded cluster, and on a server of its own\n'));

  heading('1  Check');
  const loading = performance.now();
  const library = await loadLibrary(join(root, 'rules/admission'));
  const reconcile = await loadLibrary(join(root, 'rules/reconcile'));
  const network = await loadLibrary(join(root, 'rules/network'));
  for (const { bundles } of [library, reconcile, network])
    for (const { name, rules, description } of bundles) line(`${name.padEnd(18)} ${plural(rules, 'rule').padEnd(8)} ${description}`);
  line(`compiled in ${milliseconds(performance.now() - loading)}, every field checked against the types of Kubernetes 1.37`);

  heading('2  Test');
  const testing = performance.now();
  const tested = [await runLibraryTests(library), await runLibraryTests(reconcile), await runLibraryTests(network)];
  const cases = tested.flatMap((tests) => [...tests.cases.values()]).reduce((sum, count) => sum + count, 0);
  const failures = tested.flatMap((tests) => tests.failures);
  for (const tests of tested) line([...tests.cases].map(([name, count]) => `${name} ${count}`).join(', '));
  for (const failure of failures) line(`${styleText('red', 'failed')}  ${failure}`);
  line(
    `${plural(cases, 'case')} from the bundles' tests/ folders ${failures.length === 0 ? 'passed' : 'ran'} in ${milliseconds(performance.now() - testing)}`,
  );

  heading('3  Dry run');
  const cluster = await readCluster(join(root, 'demo/cluster'));
  const decisions = dryRun(library, cluster);

  heading('4  Serve');
  const differences = await serve(library, cluster, decisions);

  const reconciled = await showReconcile(reconcile, join(root, 'demo/instances'), { heading, line });
  const networked = await showNetwork(network, join(root, 'demo/invocations'), { heading, line });

  heading('Summary');
  const denied = [...decisions.values()].filter(({ allowed }) => !allowed).length;
  const mutated = [...decisions.values()].filter(({ allowed, patch }) => allowed && patch.length > 0).length;
  const rules = library.bundles.reduce((sum, bundle) => sum + bundle.rules, 0);
  line(
    `${plural(rules, 'rule')} decided ${plural(decisions.size, 'object')}: ${denied} denied, ${mutated} mutated, ${decisions.size - denied - mutated} allowed as they are`,
  );
  if (failures.length > 0) line(styleText('red', `${plural(failures.length, 'test')} of the library failed`));
  line(`the webhook and the dry run ${differences === 0 ? 'agree on all of them' : styleText('red', `differ on ${differences}`)}`);
  line(
    `${plural(reconciled.instances, 'instance')} stood for ${plural(reconciled.objects, 'object')}: made, kept true, and taken away again`,
  );
  line(`a pod's network is ${plural(networked.steps, 'step')}, ${plural(networked.changes, 'change')} to a host that has nothing`);
  line(`all of it in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing is left running`);
  line('next: npx fairlead --help, or the tour in README.md');
  return differences === 0 && failures.length === 0;
}

function dryRun(library: Library, cluster: RecordedCluster): Map<string, AdmissionDecision> {
  const decisions = new Map<string, AdmissionDecision>();
  const began = performance.now();
  for (const { label, request } of cluster.requests) decisions.set(label, decideRecorded(library.program, request, cluster.facts));
  const took = performance.now() - began;
  for (const [label, decision] of decisions) {
    if (decision.allowed) continue;
    line(`${styleText('red', 'denied')}  ${label}`);
    for (const { result, message } of decision.outcomes) if (result === 'deny' || result === 'error') line(`        ${message ?? ''}`);
  }
  line(`${plural(decisions.size, 'object')} decided in ${milliseconds(took)}`);
  return decisions;
}

/** Sends every recorded object to a real webhook, and counts the answers that differ from the dry run. */
async function serve(library: Library, cluster: RecordedCluster, expected: ReadonlyMap<string, AdmissionDecision>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-demo-'));
  const tls = await developmentTls({ folder, hosts: ['127.0.0.1'] });
  const server = await startAdmissionServer({
    bundle: fixedBundle({
      name: 'library',
      version: '1',
      diagnostics: [],
      program: { admission: library.program, reconcile: { rules: [] }, network: { rules: [] } },
    }),
    tls,
    facts: immediateFacts(cluster.facts),
    host: '127.0.0.1',
  });
  const client = reviewClient(server.port, tls.caBundle);
  try {
    line(`webhook at https://127.0.0.1:${server.port}, certificate from an authority of its own`);
    const times: number[] = [];
    let differences = 0;
    let shown = false;
    for (const { label, request } of cluster.requests) {
      const began = performance.now();
      const review = await client.admit(request);
      times.push(performance.now() - began);
      if (!agrees(review, expected.get(label))) {
        differences++;
        line(styleText('red', `differs: ${label}`));
      } else if (!review.allowed && !shown) {
        shown = true;
        line(
          `what a user reads: ${styleText('yellow', `Error from server: admission webhook "fairlead.demo" denied the request: ${review.message}`)}`,
        );
      }
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => milliseconds(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
    line(
      `${plural(client.count(), 'AdmissionReview')} sent (mutate, then validate what came back): median ${at(0.5)}, 95th ${at(0.95)} per object`,
    );
    return differences;
  } finally {
    client.close();
    await server.close({ grace: 1000 });
    tls.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function agrees(review: Review, decision: AdmissionDecision | undefined): boolean {
  if (decision === undefined || review.allowed !== decision.allowed) return false;
  return review.allowed ? JSON.stringify(review.object) === JSON.stringify(decision.object) : review.message === decision.status?.message;
}

main().then(
  (ok) => {
    process.exitCode = ok ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  },
);
