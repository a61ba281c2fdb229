import { join } from 'node:path';
import { startEmbedded } from '../kubectl/servers.ts';
import type { CaseResult, Suite, SuiteContext } from '../suite.ts';
import { ensureGoTool } from '../tools/go-tool.ts';
import { kubernetes } from '../tools/kubernetes.ts';
import { kubernetesE2e } from '../tools/kubernetes-e2e.ts';
import { type GinkgoRun, listSpecs, runSpecs } from './ginkgo.ts';
import { LEFT_OUT } from './left-out.ts';

const FOCUS = String.raw`\[sig-api-machinery\].*\[Conformance\]`;
/** Specs wait more than they work. */
const PROCESSES = 4;
const DEADLINE_MS = 30 * 60_000;

/** Kubernetes' own conformance specs of its API machinery, against the embedded server and its simulation. Takes some minutes. */
export const suite: Suite = {
  name: 'e2e',
  description: "Kubernetes' own conformance specs of API machinery, against the embedded server; only when named",
  onlyWhenNamed: true,
  async *run(context) {
    const build = { log: context.log, signal: context.signal };
    const executable = join(await ensureGoTool(kubernetesE2e, ['e2e'], build), 'e2e');
    const kubectl = join(await ensureGoTool(kubernetes, ['kubectl'], build), 'kubectl');
    const server = await startEmbedded(kubectl);
    try {
      const run: GinkgoRun = {
        executable,
        arguments: [`--kubeconfig=${server.kubectl.kubeconfig}`, '--provider=local', `--kubectl-path=${kubectl}`, '--disable-log-dump'],
        deadlineMs: DEADLINE_MS,
        signal: context.signal,
      };
      yield* judge(context, run);
    } finally {
      await server.stop();
    }
  },
};

async function* judge(context: SuiteContext, run: GinkgoRun): AsyncGenerator<CaseResult> {
  const names = (await listSpecs(run, FOCUS)).filter((name) => context.wanted(name));
  const wanted: string[] = [];
  for (const name of names) {
    const leftOut = LEFT_OUT.find(({ text }) => name.includes(text));
    if (leftOut === undefined) wanted.push(name);
    else yield { name, outcome: 'skipped', reason: leftOut.why };
  }
  const together = wanted.filter((name) => !name.includes('[Serial]'));
  const alone = wanted.filter((name) => name.includes('[Serial]'));
  const shares = Array.from({ length: PROCESSES }, (_, share) => together.filter((_, index) => index % PROCESSES === share));
  const results = await Promise.all(shares.map((share) => runShare(context, run, share)));
  yield* results.flat();
  yield* await runShare(context, run, alone);
}

async function runShare(context: SuiteContext, run: GinkgoRun, names: readonly string[]): Promise<readonly CaseResult[]> {
  if (names.length === 0) return [];
  const found = new Map((await runSpecs(run, names)).map((result) => [result.name, result]));
  context.log(`${found.size} of ${names.length} specs have run`);
  return names.map((name): CaseResult => {
    const result = found.get(name);
    if (result === undefined) return { name, outcome: 'failed', reason: 'was not come to before the deadline' };
    return result.passed ? { name, outcome: 'passed' } : { name, outcome: 'failed', reason: result.failure ?? '' };
  });
}
